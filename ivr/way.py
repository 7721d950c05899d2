"""How a call came to where it stands: menus passed, labels chosen, failures in the present menu."""

from __future__ import annotations

from dialplans import Menu, MenuKey

REPEATS_MAX = 9  # of one menu; each further one counts as a failure


class Way:
    """Told of every menu that is entered and every key (or none), in order; live and from a journal alike."""

    def __init__(self) -> None:
        self.path: list[str] = []  # labels of the keys that led here
        self.keys = 0  # given or missing, in the whole call
        self.failures = 0  # in the present menu
        self._repeats = 0
        self._menus: list[tuple[Menu, int]] = []  # the present one last; how many labels led to each

    @property
    def menu(self) -> Menu | None:
        """The menu that asked last."""
        return self._menus[-1][0] if self._menus else None

    @property
    def before(self) -> Menu | None:
        """The menu to which `back` leads."""
        return self._menus[-2][0] if len(self._menus) > 1 else None

    def enter(self, menu: Menu) -> None:
        """Into a menu. In one that was passed before, what came after it is forgotten."""
        for at, (passed, labels) in enumerate(self._menus):
            if passed.id == menu.id:
                del self._menus[at + 1 :], self.path[labels:]
                break
        else:
            self._menus.append((menu, len(self.path)))
        self.failures = self._repeats = 0

    def key(self, key: str | None) -> MenuKey | None:
        """A key in the present menu (None: none came). Returns what the menu has for it."""
        menu = self.menu
        chosen = menu.keys.get(key) if menu is not None and key is not None else None
        self.keys += 1
        if chosen is None:
            self.failures += 1
        elif chosen.go == "repeat" or (chosen.go == "back" and self.before is None):
            self._repeats += 1
            self.failures += self._repeats > REPEATS_MAX
        elif chosen.go != "back":
            self.path.append(chosen.label)
        return chosen
