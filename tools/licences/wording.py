"""What a term of a licence means, as one sentence."""

from __future__ import annotations

from tools.licences.terms import Term, TermKind

_SAYS: dict[TermKind, str] = {
    "research_only": "It may be used for research only.",
    "non_commercial": "It may not be used for commercial advantage.",
    "no_derivatives": "Changed versions may not be passed on.",
    "no_competing": "A product that competes with the publisher's needs a licence of its own.",
    "network_share": "Whoever uses a changed version over a network must be offered its source.",
    "share_alike": "What is made of it and passed on must carry the same licence.",
    "no_training_others": "It and its outputs may not be used to improve other models.",
    "acceptable_use": "The publisher's acceptable use policy binds you and those who use it through you.",
    "use_restrictions": "The uses that its attachment lists are forbidden.",
    "pass_on_restrictions": "Your own terms must bind your users to its use restrictions.",
    "attribution": "Name the author and the licence, with its notice, wherever you pass it on.",
    "state_changes": "Say in changed files that you changed them.",
    "keep_notice": "Keep the copyright and licence notices in every copy.",
    "give_licence": "Give everybody who gets a copy the licence as well.",
    "no_endorsement": "The publisher's name may not advertise your product.",
    "patent": "Suing over patents in it ends your own patent licence.",
}


def say_term(term: Term) -> str:
    """What a term means.

    Args:
        term: The term.

    Returns:
        One sentence.
    """
    if term.kind == "user_cap":
        return f"With more than {term.amount} monthly active users a licence must be asked for."
    if term.kind == "revenue_cap":
        return f"With more than {term.amount} US dollars of annual revenue a licence must be asked for."
    if term.kind == "naming_product":
        return f"Show “{term.amount}” where your product is presented."
    if term.kind == "naming_model":
        return f"The name of a model made with it must begin with “{term.amount}”."
    return _SAYS[term.kind]
