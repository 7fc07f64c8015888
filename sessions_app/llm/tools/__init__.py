"""The tools a model may call: where they come from (`sources`), those of our own (`builtin`), and who finds them.

What a model is told of a session's tools is frozen with the session; nothing here changes it afterwards.
"""
