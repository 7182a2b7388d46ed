"""What a cost takes for granted, in words."""

from __future__ import annotations

from assistant.advice.serving import ServedRun


def assumptions_of_cost(run: ServedRun, peak_factor: float | None, offered_for: str | None) -> tuple[str, ...]:
    """The assumptions behind an estimate.

    Args:
        run: The run that it rests on.
        peak_factor: Busiest hour over the average one; None without a load.
        offered_for: What another offer's price is for, `million_tokens` or `thousand_requests`; None without one.
    """
    if run.tokens_per_request is None:
        request = f"Every request is one input, in batches of {run.batch_size}."
    elif run.new_tokens:
        request = (
            f"Every request reads {run.sequence_length} tokens and writes {run.new_tokens}, "
            f"in batches of {run.batch_size}."
        )
    elif run.unit == "pairs":
        request = f"Every request is one pair of {run.sequence_length} tokens, in batches of {run.batch_size}."
    else:
        request = f"Every request is one text of {run.sequence_length} tokens, in batches of {run.batch_size}."
    stated = [
        request,
        "Devices of the measured kind, paid for the whole day.",
        "At 20, 40 and 70 % utilisation, hours with 5, 2.5 and 1.4 times the average are still carried.",
        "The price per hour covers the device only: no people, storage or network.",
    ]
    if peak_factor is not None:
        stated += [
            f"The busiest hour has {peak_factor:g} times the requests of the average hour.",
            "Response times: requests come at random at the busiest hour's rate, wait in one line, "
            "and are processed one at a time.",
        ]
    if offered_for == "million_tokens":
        stated.append("The other offer takes one price for all tokens, read and written.")
    if offered_for is not None:
        stated.append("The other offer meets the same need as the model.")
    return tuple(stated)
