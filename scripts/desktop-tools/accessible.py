"""Finds what is on the screen by what a screen reader is told: kind, name, place and text, over the accessibility bus.

GTK and Qt programs tell it when that bus can be started, which is so on GNOME and Plasma here.
"""

import os

import dbus

REGISTRY = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
NOTHING = "/org/a11y/atspi/null"
ACCESSIBLE = "org.a11y.atspi.Accessible"
COMPONENT = "org.a11y.atspi.Component"
TEXT = "org.a11y.atspi.Text"
PROPERTIES = "org.freedesktop.DBus.Properties"
ON_SCREEN = dbus.UInt32(0)
# GTK and Qt tell places in their own units, of which twice the density makes two pixels each.
UNIT = int(os.environ.get("SCALE", "1"))


class Widget:
    """One thing that a program shows."""

    def __init__(self, bus, service: str, path: str) -> None:
        self._bus, self._at = bus, (service, path)
        self._object = bus.get_object(service, path, introspect=False)
        self.name = str(self._object.Get(ACCESSIBLE, "Name", dbus_interface=PROPERTIES))
        self.role = str(self._object.GetRoleName(dbus_interface=ACCESSIBLE))

    def children(self):
        for service, path in self._object.GetChildren(dbus_interface=ACCESSIBLE):
            if path == NOTHING:
                continue
            try:
                yield Widget(self._bus, service, path)
            except dbus.DBusException:
                continue  # it left meanwhile

    def below(self):
        """All that is in it."""
        for child in self.children():
            yield child
            try:
                yield from child.below()
            except dbus.DBusException:
                continue

    def place(self):
        """Left, top, width and height in pixels of the screen; nothing when it is not shown."""
        try:
            x, y, width, height = self._object.GetExtents(ON_SCREEN, dbus_interface=COMPONENT)
        except dbus.DBusException:
            return None
        shown = width > 0 and height > 0 and x >= 0 and y >= 0
        return tuple(int(value) * UNIT for value in (x, y, width, height)) if shown else None

    def text(self) -> str:
        """What it says, where that is not its name."""
        try:
            return str(self._object.GetText(dbus.Int32(0), dbus.Int32(-1), dbus_interface=TEXT))
        except dbus.DBusException:
            return ""


def screen() -> Widget:
    """Everything that tells."""
    launcher = dbus.SessionBus().get_object("org.a11y.Bus", "/org/a11y/bus", introspect=False)
    address = os.environ.get("AT_SPI_BUS_ADDRESS") or str(launcher.GetAddress(dbus_interface="org.a11y.Bus"))
    return Widget(dbus.bus.BusConnection(address), *REGISTRY)


def find(role: str, name: str):
    """All that are shown, of that kind (any, when empty) and name; a name that ends in "*" is a beginning."""
    for widget in screen().below():
        same = widget.name == name or (name.endswith("*") and widget.name.startswith(name[:-1]))
        if same and role in ("", widget.role) and widget.place():
            yield widget
