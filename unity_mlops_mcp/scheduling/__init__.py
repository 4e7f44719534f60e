"""Again and again: cron firings of pipelines, and the delivery of notifications."""
