"""The plan's pages: what callers hear, when, and where they are led; drafts, differences, versions."""
