"""5 read: event files become series and summaries."""
