"""Pages that show how calls are shared: why, how evenly, how many are needed, who is called back."""
