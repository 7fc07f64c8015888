"""Links to chats as they were: made and revoked (`links`), and what one shows of a chat (`reading`).

What a link shows is not copied. It is the line of one branch up to one message, and later messages, edits and other
branches are never in that. What another program rewrites there is found by a digest of each page, and not shown. So a
link shows what was shared, as it was then, or nothing; and what is deleted is deleted.
"""
