"""Fit how the views of `knowledge/scoring.py` are weighed, and from where on a question is in scope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.scoring import SIGNS, VIEWS, EntryScoring, Scored, Weights, closeness, fuse_views
from knowledge.topics import Language

Numbers = npt.NDArray[np.float64]
RIDGE = 1e-3
MOST_LOST = 0.005
"""Share of the unseen questions in scope that may be refused at most where the limit is set; of those out of scope 98 in a
hundred in English and 93 in Japanese are refused there, and hardly more at twice the share."""
STRENGTH = 0.05
"""Inverse of the penalty on the weights of the first judge, which sees nearly as many numbers as examples."""
STRENGTH_OF_MEANING = 0.03
"""The same of the second judge, whose numbers are scaled as well."""


def fit_weights(
    scoring: EntryScoring,
    language: Language,
    asked: Sequence[tuple[str, Numbers]],
    outside: Sequence[str],
    meanings: tuple[Numbers, Numbers],
    unseen: Sequence[str],
) -> Weights:
    """The weights of one language.

    Args:
        scoring: Without the wordings in `asked`.
        language: The language.
        asked: Wordings with the weight of each entry for them, shape (entries,), that sums to 1.
        outside: Questions that are not to be answered.
        meanings: MiniLM's vectors of all wordings, and of `outside`, shape (texts, 384) each.
        unseen: Questions in scope that nothing was learnt of.
    """
    inside = [scoring.score(text, language) for text, _ in asked]
    views = _fit_views(np.stack([each.views for each in inside]), np.stack([target for _, target in asked]))
    weights = Weights(
        views=dict(zip(VIEWS[language], views.tolist(), strict=True)),
        signs=dict.fromkeys(SIGNS, 0.0),
        pooled=(),
        meaning=(),
        bias=0.0,
    )
    strangers = [scoring.score(text, language) for text in outside]
    texts = [*(text for text, _ in asked), *outside]
    signs = np.stack(
        [
            scoring.signs(text, scored, fuse_views(scored.views, language, weights))
            for text, scored in zip(texts, [*inside, *strangers], strict=True)
        ]
    )
    judged = _fit_judges(weights, signs, [*inside, *strangers], len(inside), meanings)
    limit = limit_of([_closeness(scoring, text, language, judged) for text in unseen])
    return judged.model_copy(update={"bias": judged.bias - limit})


def limit_of(closeness_of_unseen: Sequence[float]) -> float:
    """Where questions are refused: in the middle of the gap above those that may be lost.

    Args:
        closeness_of_unseen: What the judges say of unseen questions in scope.
    """
    ordered = np.sort(closeness_of_unseen)
    lost = int(MOST_LOST * len(ordered))
    return float(ordered[max(0, lost - 1) : lost + 1].mean())


def _closeness(scoring: EntryScoring, text: str, language: Language, weights: Weights) -> float:
    scored = scoring.score(text, language)
    return closeness(scoring.signs(text, scored, fuse_views(scored.views, language, weights)), scored, weights)


def _fit_views(views: Numbers, targets: Numbers) -> Numbers:
    """Weights by which the entries that help come first: least cross-entropy over all entries of a question."""
    from scipy.optimize import minimize  # noqa: PLC0415 (heavy import, only when fitting)
    from scipy.special import logsumexp  # noqa: PLC0415 (as above)

    middle, spread = views.mean((0, 1)), views.std((0, 1)) + 1e-9
    scaled = (views - middle) / spread

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        scores = scaled @ weights
        logs = scores - logsumexp(scores, axis=1, keepdims=True)
        slope = np.einsum("qe,qev->v", np.exp(logs) - targets, scaled) / len(scaled)
        return -float((targets * logs).sum() / len(scaled)) + RIDGE * float(
            weights @ weights
        ), slope + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(views.shape[-1]), jac=True, method="L-BFGS-B")
    return found.x / spread


def _fit_judges(
    weights: Weights, signs: Numbers, scored: Sequence[Scored], inside: int, meanings: tuple[Numbers, Numbers]
) -> Weights:
    """Two judges whose votes are added: signs with the reader's vector, and MiniLM's own vector, which has seen more wordings."""
    numbers = np.concatenate([signs, np.stack([each.read.pooled for each in scored]).astype(np.float64)], axis=1)
    by_number, first_bias = _judge(numbers, np.arange(len(numbers)) < inside, STRENGTH)
    every = np.concatenate(meanings).astype(np.float64)
    by_meaning, second_bias = _judge(every, np.arange(len(every)) < len(meanings[0]), STRENGTH_OF_MEANING)
    return weights.model_copy(
        update={
            "signs": dict(zip(SIGNS, by_number[: len(SIGNS)].tolist(), strict=True)),
            "pooled": tuple(round(float(each), 6) for each in by_number[len(SIGNS) :]),
            "meaning": tuple(round(float(each), 6) for each in by_meaning),
            "bias": first_bias + second_bias,
        }
    )


def _judge(numbers: Numbers, answered: npt.NDArray[np.bool_], strength: float) -> tuple[Numbers, float]:
    """Weights and bias of a logistic regression."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 (heavy import, only when fitting)

    middle, spread = numbers.mean(0), numbers.std(0) + 1e-9
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    model.fit((numbers - middle) / spread, answered)
    by_number = model.coef_[0] / spread
    return by_number, float(np.ravel(model.intercept_)[0] - middle @ by_number)
