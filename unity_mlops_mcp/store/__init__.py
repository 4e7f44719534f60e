"""SQLAlchemy Core tables and migrations on SQLite, and the disk cache."""
