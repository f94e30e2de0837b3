"""The folder of the C++ sources, which Python finds first when it runs in the repository's root.

The package itself lies in python/sequela, and an installed one is what `import sequela` gives from here, too. This file
is no part of it.
"""

import importlib.machinery
import importlib.util
import os
import sys

_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_elsewhere = [folder for folder in sys.path if os.path.abspath(folder) != _root]
_installed = importlib.machinery.PathFinder.find_spec(__name__, _elsewhere)
if _installed is None or _installed.loader is None:
    raise ImportError(
        f"sequela is not installed, and {os.path.dirname(__file__)} holds its C++ sources. Fix: pip install {_root}"
    )
sys.modules[__name__] = importlib.util.module_from_spec(_installed)
_installed.loader.exec_module(sys.modules[__name__])
