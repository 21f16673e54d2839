"""Asks GNOME Shell what it shows and where. scripts/desktop starts it so that it answers; clicks are made with the mouse."""

import json

import dbus

SHELL = ("org.gnome.Shell", "/org/gnome/Shell")

# The functions that the scripts below may use.
PRELUDE = """
const place = actor => [...actor.get_transformed_position(), ...actor.get_transformed_size()].map(Math.round);
const icons = Object.entries(Main.panel.statusArea).filter(([name, _]) => name.startsWith('appindicator-'))
    .map(([_, icon]) => icon).filter(icon => icon.mapped).sort((a, b) => place(b)[0] - place(a)[0]);
const notifications = Main.messageTray.getSources().flatMap(source => source.notifications);
const banner = Main.messageTray._banner;
"""


class Refused(Exception):
    """The shell could not run the script."""


def evaluate(script: str):
    """The value of a JavaScript expression in the shell."""
    shell = dbus.SessionBus().get_object(*SHELL, introspect=False)
    well, answer = shell.Eval(f"(() => {{ {PRELUDE} return {script}; }})()", dbus_interface=SHELL[0])
    if not well:
        raise Refused(str(answer))
    return json.loads(str(answer)) if answer else None
