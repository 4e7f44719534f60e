"""Notifications: from the event rows to webhooks and e-mail."""
