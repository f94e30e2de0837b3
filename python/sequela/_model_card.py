"""The model card that a pushed model gets if it has none."""

from sequela import _core

__all__ = ["model_card"]

_ENCODER = """```python
import sequela

encoder = sequela.CEHRBERTWrapper.from_pretrained("{name}")
```"""

_BUNDLE = """```bash
sequela features --meds meds --model {name} --labels labels.parquet --out embeddings
```"""

_CARD = """---
library_name: sequela
tags:
- ehr
- meds
- {tag}
---

# {title}

```
{description}
```

{use}

Written by Sequela {version} from the model's files alone. On whose records it was trained, how well it does and what it
may be used for is for its authors to add.
"""


def model_card(name: str, description: str, is_bundle: bool) -> str:
    """The text of README.md.

    Args:
        name: "org/name".
        description: what `inspect` says of the folder.
        is_bundle: of MOTOR or CLMBR, else an encoder.
    """
    return _CARD.format(
        tag="motor" if is_bundle else "bert",
        title=name.split("/")[1],
        description=description.strip(),
        use=(_BUNDLE if is_bundle else _ENCODER).format(name=name),
        version=_core.__version__,
    )
