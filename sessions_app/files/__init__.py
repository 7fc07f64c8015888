"""Files that users add: taken in, kept, given back, cleared away.

``store`` keeps bytes, in a folder or in S3; ``adding`` takes a file in; ``clearing`` removes what nobody has any more
and what a killed process has left; ``pictures`` are those that models are sent. Which message has which file is
``conversations.attachments``.
"""
