"""What was learned, for people: one gathered record, shown as HTML, PDF, Markdown or JSON."""
