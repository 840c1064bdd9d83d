"""The accounts of a service: the home's own, which is always there, and further ones, opened when they are needed."""

import logging
import threading

from sagestone.compose.tenant import Shared, Tenant, directory_of, open_tenant
from sagestone.operations.dependencies import Dependencies

_LOG = logging.getLogger(__name__)


class Tenants:
    """Finds the parts of an account. Used from any thread."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._lock = threading.Lock()
        self._open = {"": open_tenant(shared, "")}
        self._started = False

    def dependencies(self, account: str) -> Dependencies:
        """Those of a caller's account; of one that is not known beside it: the home's own."""
        word = account if self._shared.book.is_further(account) else ""
        found = self._open.get(word)
        return (found if found is not None else self._open_further(word)).dependencies

    def words(self) -> list[str]:
        """Of all accounts that have anything of their own in this home; one that cannot be opened too."""
        known = (account.id for account in self._shared.book.document.accounts)
        return ["", *(word for word in known if directory_of(self._shared.settings.home, word).exists())]

    def start(self) -> None:
        """Start the controllers: of the home's own account, and of each that has been used."""
        for account in self._shared.book.document.accounts:
            if directory_of(self._shared.settings.home, account.id).exists():
                try:
                    self._open_further(account.id)
                except Exception:  # noqa: BLE001 logged; one broken account must not keep the others from their work
                    _LOG.exception("account %s could not be opened; it is tried again when somebody asks", account.id)
        with self._lock:
            self._started = True
            for tenant in self._open.values():
                tenant.controller.start()

    def stop(self, timeout: float) -> None:
        """End the controllers; running jobs go on."""
        for tenant in self.all():
            tenant.controller.stop(timeout)

    def close(self) -> None:
        """Close what holds files."""
        for tenant in self.all():
            tenant.store.close()

    def _open_further(self, account: str) -> Tenant:
        with self._lock:
            found = self._open.get(account)
            if found is None:
                found = open_tenant(self._shared, account)
                if self._started:
                    found.controller.start()
                self._open[account] = found
            return found

    def all(self) -> list[Tenant]:
        """Those that are open, the home's own first."""
        with self._lock:
            return list(self._open.values())
