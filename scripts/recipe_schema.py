"""Print the JSON Schema of a figure's recipe.

python -m scripts.recipe_schema > docs/recipe.schema.json
"""

import json

from viz.figure.recipe import recipe_json


def main() -> None:
    """Print it."""
    print(json.dumps(recipe_json.schema(), indent=1))


if __name__ == "__main__":
    main()
