"""One file a revision of the tables, oldest first by number."""
