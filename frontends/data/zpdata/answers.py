"""What a model answered, held against a data set: `zpdata accuracy`, and `zpdata classify` for rows without answers.

Both read the lines of `zprun generate` (tokens) or of `zp generate --json` (texts), a row of the data set each. The rules are
those of the PEFT guide's scripts: an answer is right when it is the label but for blanks around it, and for a
prediction the class with the least edit distance is taken, the first of equals.
"""

import collections
import csv
import io
import json
import pathlib

from .errors import ZpError
from .make import chosenSplits
from .pairs import answerText, splitNames
from .sources import classNames, readRows
from .splits import findSplits
from .text import readContinuations, readTexts
from .tokenizer import Tokenizer
from .whole_file import wholeFile

SHOWN = 10


def printAccuracy(arguments):
    answers, rows, files, split = answersAndRows(arguments)
    names = splitNames(arguments.class_names) or classNames(files, arguments.target_column)
    labels = [
        answerText(column(row, arguments.target_column, place), names, arguments.target_column, place)
        for row, place in rows
    ]
    correct = sum(answer.strip() == label.strip() for answer, label in zip(answers, labels))
    accuracy = 100 * correct / len(labels)
    if arguments.json:
        print(json.dumps({"accuracy": accuracy, "correct": correct, "rows": len(labels)}))
        return
    print(f"accuracy={accuracy}")
    print(f"eval_preds[:{SHOWN}]={answers[:SHOWN]}")
    print(f"dataset['{split}'][label_column][:{SHOWN}]={labels[:SHOWN]}")


def writePredictions(arguments):
    answers, rows, files, _ = answersAndRows(arguments)
    classes = splitNames(arguments.class_names) or classNames(files, arguments.target_column)
    if not classes:
        raise ZpError(
            "Usage",
            "--class_names",
            f"is missing, and {files[0]} names no classes, expected the classes to choose from; write --class_names A,B",
        )
    identities = [column(row, arguments.id_column, place) for row, place in rows]
    predictions = [closestClass(answer, classes) for answer in answers]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["ID", "Label"])
    writer.writerows(zip(identities, predictions))
    path = pathlib.Path(arguments.output)
    with wholeFile(path) as file:
        file.write(text.getvalue().encode(errors="replace"))
    counts = collections.Counter(predictions)
    exact = sum(answer.strip() in classes for answer in answers)
    if arguments.json:
        print(
            json.dumps(
                {
                    "file": str(path),
                    "rows": len(predictions),
                    "exact": exact,
                    "classes": {name: counts[name] for name in classes},
                }
            )
        )
    elif not arguments.quiet:
        shares = ", ".join(f"{counts[name]} {name}" for name in classes)
        print(f"{path}: {len(predictions)} rows ({shares}); {exact} answers were a class to the letter")


def answersAndRows(arguments):
    """(answers, [(row, place)], files, name of the split), as many answers as rows."""
    splits = chosenSplits(findSplits(arguments.dataset), arguments)
    if len(splits) != 1:
        raise ZpError(
            "Usage", arguments.dataset, f"has the splits {', '.join(splits)}, expected one; choose it with --splits"
        )
    ((split, files),) = splits.items()
    rows = list(readRows(files))
    if arguments.tokenizer:
        tokenizer = Tokenizer(arguments.tokenizer)
        answers = [tokenizer.decode(tokens) for _, tokens, _ in readContinuations(arguments.file)]
    else:
        answers = readTexts(arguments.file)
    if len(answers) != len(rows):
        raise ZpError(
            "Dataset",
            arguments.file,
            f"has {len(answers)} answers, expected the {len(rows)} rows of {files[0]}; make it with all prompts of that file",
        )
    return answers, rows, files, split or files[0].stem


def column(row, name, place):
    if name not in row:
        raise ZpError(
            "Dataset",
            place,
            f"has the columns {', '.join(map(str, row)) or '(none)'}, expected {name}; name another column",
        )
    return row[name]


def closestClass(answer, classes):
    """The class with the least edit distance to an answer, the first of equals."""
    return min(classes, key=lambda name: editDistance(answer.strip(), name))


def editDistance(a, b):
    """Letters to put in, take out or replace to make one text of the other."""
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(above[j - 1] if x == y else 1 + min(above[j - 1], above[j], row[-1]))
        above = row
    return above[-1]
