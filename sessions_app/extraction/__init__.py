"""What a file is, and what a model can be told of it: found in its bytes, in a process of its own (`process`).

`worker` is that process. It has bounds of time, memory and output (`bounds`), and only it opens what came from outside
with a library: `images`, `pdf`, `office`, `texts`, by what `kinds` finds. `results` is what it hands back.
"""
