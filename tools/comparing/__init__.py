"""What differs between two versions of a model, by meaning, read from their files without loading either."""

from tools.comparing.change import Change, ChangeKind, Risk, kind_of
from tools.comparing.contents import compare_contents

__all__ = ["Change", "ChangeKind", "Risk", "compare_contents", "kind_of"]
