"""The clock of the provider's cache: is a prompt still kept (`warmth`), and for how long is the next one to be?

That is a choice between prices, made for each request: how long pauses have been (`pauses`), what each choice costs
then (`costs`), the cheapest one with its reason (`choice`). What one request knows for the next is in its record
(`records`).

Pure values and functions, by the process's own clock: seconds since the epoch, as `RequestRecord.at`.
"""
