"""`/share/KEY/`: shared chats as pages without a script, with their files, for who has the link."""
