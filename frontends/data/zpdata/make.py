"""`zpdata DATASET`: reads, encodes, truncates or packs, writes one token file a split."""

import json
import pathlib

import numpy

from . import __version__
from .encode import IGNORED, Encoder, Settings
from .errors import ZpError, warn
from .make_pairs import makePairs
from .modes import HOMES, checkFlags, kindOf
from .packing import blocks, pack
from .sources import readRows
from .splits import findSplits, ownSplit
from .token_file import Side, countedIn, writeTokenFile
from .tokenizer import Tokenizer

LENGTH = 1024  # of a row, when no flag says so


def make(arguments):
    checkFlags(arguments, HOMES)
    splits = chosenSplits(findSplits(arguments.dataset), arguments)
    tokenizer = Tokenizer(arguments.tokenizer, arguments.chat_template_format)
    outputs = [
        (split, files, outputPath(arguments.output, split, arguments.splits)) for split, files in splits.items()
    ]
    reports = []
    for report in (
        makeRows(tokenizer, outputs, arguments)
        if arguments.mode == "sft"
        else makePairs(tokenizer, outputs, arguments)
    ):
        reports.append(report)
        if not arguments.quiet and not arguments.json:
            print(sentence(report))
    tokenizer.warnAboutEmbeddings(max(r["largest_token_id"] for r in reports))
    if arguments.json:
        print(json.dumps(reports))


def makeRows(tokenizer, outputs, arguments):
    """Writes a token file for each (split, files, output) and yields its report."""
    for split, files, output in outputs:
        yield makeSplit(tokenizer, files, output, split, arguments)


def chosenSplits(splits, arguments):
    if not arguments.splits:
        return splits
    wanted = [name.strip() for name in arguments.splits.split(",") if name.strip()]
    chosen = {name: splits.get(name) or ownSplit(arguments.dataset, name) for name in wanted}
    for name, files in chosen.items():
        if not files:
            raise ZpError(
                "Usage",
                arguments.dataset,
                f"has no split {name}, expected one of {', '.join(splits) or '(none)'}; "
                "choose others with --splits",
            )
    return chosen


def outputPath(output, split, wanted):
    """A directory's splits get their names into the file's; a single file, and a single split asked for by name,
    don't."""
    path = pathlib.Path(output)
    if not split or (wanted and "," not in wanted):
        return path
    return path.with_name(f"{path.stem}-{split}{path.suffix}")


def makeSplit(tokenizer, files, output, split, arguments):
    arguments.max_length = arguments.max_length or LENGTH
    documents = encodeAll(tokenizer, files, arguments)
    if not documents:
        raise ZpError("Dataset", files[0], "holds no rows; give a data set that does")
    seen = len(documents)
    long = cutLengths(documents, arguments)
    if arguments.packing:
        rows = packAll(documents, arguments)
    else:
        rows = [[(ids[: arguments.max_length], labels[: arguments.max_length])] for ids, labels in documents]
        rows = [row for row in rows if (row[0][1] != IGNORED).any()]
    del documents  # rows are made of their own arrays, or of views
    if arguments.shuffle_dataset:
        rows = shuffled(rows, arguments.seed)
    if not rows:
        flag = "assistant_only_loss" if arguments.assistant_only_loss else "completion_only_loss"
        raise ZpError(
            "Dataset",
            files[0],
            f"leaves no row with a counted token in its first {arguments.max_length} tokens; "
            f"raise --max_length or check the rows with --{flag} false",
        )
    warnOfCuts(long, seen, arguments)
    report = {"file": str(output), "split": split, "documents": seen, **count(rows, arguments.max_length)}
    writeTokenFile(output, [Side(rows, arguments.max_length, tokenizer.padId)], metadata(tokenizer, report, arguments))
    return report


def cutLengths(documents, arguments):
    """Of the documents that lose what doesn't fit into a row: how long they are."""
    if arguments.packing and arguments.packing_strategy != "bfd":
        return []  # these split what is long
    return [len(ids) for ids, _ in documents if len(ids) > arguments.max_length]


def warnOfCuts(long, seen, arguments):
    """Says what is left out, as with the reference, which doesn't say so."""
    if not long:
        return
    warn(
        f"{len(long)} of {seen} documents are longer than {arguments.max_length} tokens: "
        f"{sum(long) - len(long) * arguments.max_length} tokens at their ends are left out; --max_length sets the length"
        + (", --packing_strategy bfd_split keeps them in pieces" if arguments.packing else "")
    )


def encodeAll(tokenizer, files, arguments):
    encoder = Encoder(
        tokenizer,
        Settings(
            arguments.chat_template_format,
            arguments.dataset_text_field,
            arguments.completion_only_loss,
            arguments.assistant_only_loss,
            arguments.reference_eos,
        ),
    )
    return encoder.encodeAll(readRows(files))


def packAll(documents, arguments):
    if arguments.shuffle_dataset:
        documents = shuffled(documents, arguments.seed)
    return [
        row
        for block in blocks(len(documents), arguments.dataset_num_proc)
        for row in pack([documents[i] for i in block], arguments.max_length, arguments.packing_strategy)
    ]


def shuffled(items, seed):
    """In the order in which the reference's data sets are shuffled by a seed."""
    return [items[i] for i in numpy.random.default_rng(seed).permutation(len(items))]


def count(rows, length):
    tokens = sum(len(ids) for row in rows for ids, _ in row)
    return {
        "rows": len(rows),
        "length": length,
        "segments": sum(len(row) for row in rows),
        "tokens": tokens,
        "counted": sum(countedIn(row) for row in rows),
        "padding": len(rows) * length - tokens,
        "largest_token_id": max(int(ids.max()) for row in rows for ids, _ in row),
    }


def metadata(tokenizer, report, arguments):
    names = (
        "dataset",
        "tokenizer",
        "chat_template_format",
        "dataset_text_field",
        "max_length",
        "completion_only_loss",
        "assistant_only_loss",
        "reference_eos",
        "shuffle_dataset",
        "seed",
        "dataset_num_proc",
    )
    values = {name: getattr(arguments, name) for name in names}
    values["packing"] = arguments.packing_strategy if arguments.packing else "none"
    values.update({k: v for k, v in report.items() if k not in ("file", "length")})
    values.update(
        format="zpdata.1",
        kind=kindOf(arguments.mode),
        zpdata=__version__,
        vocab_size=tokenizer.size,
        pad_token_id=tokenizer.padId,
        row_lengths="the number of segment_ids that are not -1; padding is on the right",
    )
    return {
        key: str(value).lower() if isinstance(value, bool) or value is None else value for key, value in values.items()
    }


def sentence(report):
    source = report.get("source_length", 0)
    share = 100 * report["padding"] / (report["rows"] * (report["length"] + source))
    lengths = f"{source} and {report['length']} (source and target)" if source else f"{report['length']}"
    return (
        f"{report['file']}: {report['rows']} rows of {lengths} from {report['documents']} documents; "
        f"{report['tokens']} tokens, {report['counted']} counted, {share:.1f} % padding"
    )
