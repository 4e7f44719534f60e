"""What has to hold before an alias moves, and its moves."""
