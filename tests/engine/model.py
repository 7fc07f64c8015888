"""A small GGUF model with random weights: what it costs an engine to read a prompt is real, what it says is not.

A token is a byte, so that texts of equal length cost the same and what was said is read again as the very tokens that
said it. Whatever it is asked it recites the alphabet, by a margin that no rounding closes: so a prompt's answer is
the same in every batch, and what is measured does not hang on chance.
"""

from __future__ import annotations

import string
from pathlib import Path

import gguf
import numpy as np

NAME = "alphabet"
LETTERS = string.ascii_lowercase
CONTEXT = 65_536
"""Tokens; of all slots together."""

_LAYERS, _WIDTH, _HEADS, _INNER = 3, 256, 4, 768
_SEED = 1

# ChatML. Tools stand in the system message as JSON, one to a line, calls and their results as Hermes models have them
# (llama.cpp knows the tags and forces no grammar); a message more only adds to the text.
TEMPLATE = r"""
{%- for message in messages -%}
    {{- '<|im_start|>' + ('user' if message.role == 'tool' else message.role) + '\n' -}}
    {%- if message.role == 'tool' -%}
        {{- '<tool_response>\n' + message.content + '\n</tool_response>' -}}
    {%- else -%}
        {{- message.content or '' -}}
    {%- endif -%}
    {%- if loop.first and tools -%}
        {{- '\n\n# Tools\n<tools>\n' -}}
        {%- for tool in tools -%}{{- tool | tojson + '\n' -}}{%- endfor -%}
        {{- '</tools>' -}}
    {%- endif -%}
    {%- for call in message.tool_calls or [] -%}
        {{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' -}}
        {{- (call.function.arguments | tojson) + '}\n</tool_call>' -}}
    {%- endfor -%}
    {{- '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
"""


def write(path: Path) -> None:
    """Write the model: 9 MB, in a tenth of a second."""
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer)
    tokens = [*_bytes(), "<|im_start|>", "<|im_end|>"]
    _add_tokenizer(writer, tokens)
    _add_weights(writer, tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter) -> None:
    writer.add_name(NAME)
    writer.add_context_length(CONTEXT)
    writer.add_block_count(_LAYERS)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)


def _bytes() -> list[str]:
    """GPT-2's letter for each byte: its own where it can be seen, else one from beyond."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    beyond = iter(range(256, 512))
    return [chr(byte) if byte in seen else chr(next(beyond)) for byte in range(256)]


def _add_tokenizer(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * 2)
    # There must be one: of NULs, which nobody can say.
    writer.add_token_merges([f"{tokens[0]} {tokens[0]}"])
    writer.add_add_bos_token(False)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_chat_template(TEMPLATE)


def _add_weights(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    chance = np.random.default_rng(_SEED)

    def random(*shape: int, scale: float = 0.02) -> np.ndarray:
        return (chance.standard_normal(shape) * scale).astype(np.float32)

    said = random(len(tokens), _WIDTH, scale=1.0)
    next_said = np.zeros_like(said)
    for before, letter in zip("\n" + LETTERS, LETTERS + LETTERS[0], strict=True):
        next_said[ord(letter)] += said[ord(before)]
    writer.add_tensor("token_embd.weight", said)
    writer.add_tensor("output.weight", next_said)
    writer.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
    for layer in range(_LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(_WIDTH, np.float32))
        for name in ("attn_q", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", random(_WIDTH, _WIDTH))
        for name in ("attn_k", "attn_v"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", random(_WIDTH // _HEADS, _WIDTH))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", random(_INNER, _WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", random(_WIDTH, _INNER))
