"""Alarms (MON-4): what calls supervisors, from the live state and today's figures."""
