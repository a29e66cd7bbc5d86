"""`zpdata DATASET --mode causal|seq2seq`, and prompts of these modes: pairs to token files."""

from . import __version__, causal, seq2seq
from .errors import ZpError
from .modes import kindOf
from .pairs import PairReader
from .token_file import SOURCE_NAMES, Side, countedIn, writeTokenFile
from .token_texts import tensorsOf, tokenTexts

LENGTH = 64  # of a causal row, when no flag says so: the guide's script's


def makePairs(tokenizer, outputs, arguments):
    """Writes a token file for each (split, files, output) and yields its report. Rows of all have one length."""
    tokenizer.warnAboutPadding()
    reader = PairReader(arguments)
    build = seq2seqSides if arguments.mode == "seq2seq" else causalSides
    pairs = [reader.read(files) for _, files, _ in outputs]
    for (split, files, output), sides in zip(outputs, build(tokenizer, pairs, arguments)):
        report = {"file": str(output), "split": split, "documents": len(sides[0].rows), **count(sides)}
        if not report["counted"]:
            raise ZpError(
                "Dataset",
                files[0],
                f"leaves no row with a counted token in {sides[0].length} tokens; raise --max_length, or --max_target_length",
            )
        writeTokenFile(output, sides, metadata(tokenizer, report, arguments))
        yield report


def makePairPrompts(tokenizer, files, arguments):
    """Writes the prompts of some files and returns the report."""
    tokenizer.warnAboutPadding()
    pairs = PairReader(arguments, answers=False).read(files)
    if arguments.mode == "seq2seq":
        source = sourceSides(tokenizer, [pairs], arguments)[0]
        side = Side(source.rows, source.length, source.padId)  # prompts have the same names for every kind of model
        start = {"decoder_start_token_id": seq2seq.startToken(tokenizer, arguments.decoder_start_token_id)}
    else:
        length = arguments.max_length or LENGTH
        documents = causal.encodePairs(tokenizer, pairs, length, arguments.reference_quirks)
        side, start = Side([[d] for d in documents], length, tokenizer.padId, padLeft=True), {}
    lengths = [len(ids) for row in side.rows for ids, _ in row]
    if not min(lengths):
        place = pairs[lengths.index(0)].place
        raise ZpError("Dataset", place, "is an empty prompt, expected a word at least; write one or drop the row")
    end = {} if tokenizer.eosId is None else {"eos_token_id": tokenizer.eosId}
    kind = {
        "kind": kindOf(arguments.mode),
        "mode": arguments.mode,
        "input_template": arguments.input_template or "none",
    }
    writeTokenFile(
        arguments.output,
        [side],
        {"format": "zpdata.prompts.1", "tokenizer": arguments.tokenizer, **kind, **start, **end},
        tensorsOf(tokenTexts(tokenizer.core)) if arguments.token_text else (),
    )
    return {
        "file": str(arguments.output),
        "prompts": len(lengths),
        "longest": max(lengths),
        "length": side.length,
        "tokens": sum(lengths),
        "largest_token_id": largestId([side]),
    }


def causalSides(tokenizer, pairs, arguments):
    length = arguments.max_length or LENGTH
    for some in pairs:
        documents = causal.encodePairs(tokenizer, some, length, arguments.reference_quirks)
        yield [Side([[d] for d in documents], length, tokenizer.padId, padLeft=True)]


def seq2seqSides(tokenizer, pairs, arguments):
    start = seq2seq.startToken(tokenizer, arguments.decoder_start_token_id)
    asked = arguments.max_target_length
    if asked:
        seq2seq.checkLength(tokenizer, asked, 1, "--max_target_length")
    targets = [seq2seq.encodeTargets(tokenizer, some, asked, start, arguments.reference_quirks) for some in pairs]
    length = asked or seq2seq.checkLength(tokenizer, longest(targets), 1, "--max_target_length")
    for source, documents in zip(sourceSides(tokenizer, pairs, arguments), targets):
        yield [Side([[d] for d in documents], length, tokenizer.padId), source]


def sourceSides(tokenizer, pairs, arguments):
    """The encoder's rows of some lists of pairs, all of one length."""
    asked = arguments.max_source_length
    if asked:
        seq2seq.checkLength(tokenizer, asked, 0, "--max_source_length")
    documents = [seq2seq.encodeSources(tokenizer, some, asked) for some in pairs]
    length = asked or seq2seq.checkLength(tokenizer, longest(documents), 0, "--max_source_length")
    return [Side([[d] for d in some], length, tokenizer.padId, SOURCE_NAMES) for some in documents]


def longest(lists):
    return max(len(ids) for some in lists for ids, _ in some)


def largestId(sides):
    return max((int(ids.max()) for side in sides for row in side.rows for ids, _ in row if len(ids)), default=0)


def count(sides):
    tokens = [sum(len(ids) for row in side.rows for ids, _ in row) for side in sides]
    places = sum(len(side.rows) * side.length for side in sides)
    return {
        "rows": len(sides[0].rows),
        "length": sides[0].length,
        **({"source_length": sides[1].length} if len(sides) > 1 else {}),
        "segments": len(sides[0].rows),
        "tokens": sum(tokens),
        "counted": sum(countedIn(row) for row in sides[0].rows),
        "padding": places - sum(tokens),
        "largest_token_id": largestId(sides),
    }


def metadata(tokenizer, report, arguments):
    names = (
        "dataset",
        "tokenizer",
        "mode",
        "source_column",
        "target_column",
        "input_template",
        "class_names",
        "reference_quirks",
    )
    values = {name: getattr(arguments, name) for name in names}
    values.update({k: v for k, v in report.items() if k not in ("file", "length")})
    if arguments.mode == "seq2seq":
        values["decoder_start_token_id"] = seq2seq.startToken(tokenizer, arguments.decoder_start_token_id)
    values.update(
        format="zpdata.1",
        kind=kindOf(arguments.mode),
        max_length=report["length"],
        zpdata=__version__,
        vocab_size=tokenizer.size,
        pad_token_id=tokenizer.padId,
        padding_side="left" if arguments.mode == "causal" else "right",
    )
    return {
        key: str(value).lower() if isinstance(value, bool) or value is None else value for key, value in values.items()
    }
