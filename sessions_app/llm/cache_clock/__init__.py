"""The clock of the provider's cache: is a prompt still kept (`warmth`)?

Pure values and functions, by the process's own clock: seconds since the epoch, as `RequestRecord.at`.
"""
