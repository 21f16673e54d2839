"""Reads and clicks a tray icon's menu over the session bus: StatusNotifierItem and com.canonical.dbusmenu."""

import os
import sys
import time

import dbus

WATCHER = ("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher")
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
PROPERTIES = "org.freedesktop.DBus.Properties"
PAUSE = 0.05


class NotThere(Exception):
    """What was looked for is not there (yet)."""


class Item:
    """One icon in the tray."""

    def __init__(self, wanted: str = "") -> None:
        self.bus = dbus.SessionBus()
        try:
            watcher = self.bus.get_object(*WATCHER, introspect=False)
            names = watcher.Get(WATCHER[0], "RegisteredStatusNotifierItems", dbus_interface=PROPERTIES)
        except dbus.DBusException as error:
            raise NotThere(f"no tray host: {error.get_dbus_message()}") from error
        for name in reversed([str(name) for name in names]):
            service, slash, path = name.partition("/")
            self.service, self.path = service, (slash + path) or "/StatusNotifierItem"
            try:
                self.properties = self._object(self.path).GetAll(ITEM, dbus_interface=PROPERTIES)
            except dbus.DBusException:
                continue  # it left meanwhile
            if wanted in str(self.properties.get("Id", "")) + str(self.properties.get("Title", "")):
                return
        raise NotThere(f"no tray icon {wanted!r}" if wanted else "no tray icon")

    def _object(self, path: str):
        return self.bus.get_object(self.service, path, introspect=False)

    def activate(self) -> None:
        """The left click."""
        self._object(self.path).Activate(0, 0, dbus_interface=ITEM)

    def layout(self):
        """The menu as `(id, properties, children)`, brought up to date first as a host does when it opens."""
        menu = self._object(self.properties["Menu"])

        def about_to_show(identity) -> None:
            try:
                menu.AboutToShow(dbus.Int32(identity), dbus_interface=MENU)
            except dbus.DBusException:
                pass  # optional

        def read():
            return menu.GetLayout(dbus.Int32(0), dbus.Int32(-1), dbus.Array([], "s"), dbus_interface=MENU)[1]

        about_to_show(0)
        root = read()
        submenus = [child[0] for child in root[2] if child[1].get("children-display") == "submenu"]
        for identity in submenus:
            about_to_show(identity)
        return read() if submenus else root

    def click(self, identity) -> None:
        menu = self._object(self.properties["Menu"])
        menu.Event(dbus.Int32(identity), "clicked", dbus.Int32(0, variant_level=1), dbus.UInt32(0), dbus_interface=MENU)


def label(properties) -> str:
    """What a person reads: `_` marks a mnemonic, `__` is an underscore."""
    return str(properties.get("label", "")).replace("__", "\0").replace("_", "").replace("\0", "_")


def walk(node, trail=()):
    """Every entry below `node` with the labels that lead to it."""
    for child in node[2]:
        here = (*trail, label(child[1]))
        yield here, child
        yield from walk(child, here)


def until(seconds: float, look):
    """What `look` gives, tried again while it raises `NotThere`, at most that long; exits with its message then."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return look()
        except (NotThere, dbus.DBusException) as error:
            if time.monotonic() > deadline:
                sys.exit(f"{os.path.basename(sys.argv[0])}: {error} (after {seconds:g} s)")
        time.sleep(PAUSE)
