"""Executes the code cells of a notebook in order, as Jupyter would, with the standard library alone.

    python run_notebook.py textbook.ipynb

Prints what each cell prints and the value of its last line; ends with the error of the first cell that fails.
"""

import ast
import json
import os
import sys


def run(path):
    with open(path, encoding="utf8") as file:
        cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    names = {"__name__": "__main__"}
    for number, cell in enumerate(cells, 1):
        print(f"[{number}]")
        source = "".join(cell["source"])
        module = ast.parse(source, f"cell {number}")
        # As in a notebook, an expression at the end is shown.
        last = ast.Expression(module.body.pop().value) if module.body and isinstance(module.body[-1], ast.Expr) else None
        exec(compile(module, f"cell {number}", "exec"), names)
        value = None if last is None else eval(compile(last, f"cell {number}", "eval"), names)
        if value is not None:
            print(repr(value))


if __name__ == "__main__":
    run(sys.argv[1])
