"""The pages of the desk: directory (職員録) and cases (折り返し・案件)."""
