"""The wall screen (MON-5): a link that needs no sign-in, shows no caller, and can be revoked."""
