"""What `--mode` decides: which flags have a meaning, and which kind of model reads the file."""

from .errors import ZpError

ROWS, PAIRS = ("sft",), ("causal", "seq2seq")
# The modes that read a flag; one that isn't here every mode reads.
HOMES = {
    **dict.fromkeys(("packing", "packing_strategy", "dataset_num_proc", "shuffle_dataset"), ROWS),
    **dict.fromkeys(("completion_only_loss", "assistant_only_loss", "reference_eos", "dataset_text_field"), ROWS),
    **dict.fromkeys(("source_column", "target_column", "input_template", "class_names", "reference_quirks"), PAIRS),
    **dict.fromkeys(("max_source_length", "max_target_length", "decoder_start_token_id"), ("seq2seq",)),
    "max_length": ("sft", "causal"),
}
PROMPT_HOMES = {**HOMES, "max_length": ("causal",)}  # other prompts are taken whole
FIXES = {
    ("packing", "causal"): "there is a pair a row, so drop one of the two",
    ("packing", "seq2seq"): "there is a pair a row, so drop one of the two",
    ("max_length", "seq2seq"): "set --max_source_length and --max_target_length",
    ("max_length", "sft"): "a prompt is taken whole, so drop the flag",
}


def checkFlags(arguments, homes):
    """A flag of another mode would be passed over in silence. One that is off, off as it is anyway, may be given."""
    for name, modes in homes.items():
        if name in arguments.given and arguments.mode not in modes and getattr(arguments, name) is not False:
            raise ZpError(
                "Usage",
                f"--{name}",
                f"is given with --mode {arguments.mode}, expected --mode {' or '.join(modes)}; "
                + FIXES.get((name, arguments.mode), "drop one of the two"),
            )


def kindOf(mode):
    """What a token file's metadata says of the model that reads it."""
    return "seq2seq" if mode == "seq2seq" else "causal"
