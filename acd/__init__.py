"""Who gets which call, and why. Pure: no I/O, no clock, no event loop, no Asterisk."""

from acd.model import (
    Action,
    Because,
    DistributorError,
    Offer,
    OfferEnd,
    OperatorProfile,
    OperatorState,
    OperatorView,
    QueueRules,
    StateChanged,
    WaitingView,
    Withdraw,
)

__all__ = [
    "Action",
    "Because",
    "DistributorError",
    "Offer",
    "OfferEnd",
    "OperatorProfile",
    "OperatorState",
    "OperatorView",
    "QueueRules",
    "StateChanged",
    "WaitingView",
    "Withdraw",
]
