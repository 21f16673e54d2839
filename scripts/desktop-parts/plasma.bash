#!/usr/bin/env bash
# The settings of a Plasma desktop: KWin on X11, kded (it has the tray's registry) and plasmashell. Read by scripts/desktop.
# shellcheck disable=SC2034,SC2154 # shared with scripts/desktop

export XDG_CURRENT_DESKTOP=KDE DESKTOP_SESSION=plasma KDE_FULL_SESSION=true KDE_SESSION_VERSION=5
export XDG_CONFIG_DIRS=/etc/xdg # its own defaults
# The tools find icons and buttons by what a screen reader is told.
export QT_LINUX_ACCESSIBILITY_ALWAYS_ON=1
# There is no graphics card, and what is drawn does not depend on one.
export QT_QUICK_BACKEND=software
# Twice the density, as the display settings of Plasma say it to their session.
export PLASMA_USE_QT_SCALING=1 QT_SCREEN_SCALE_FACTORS=$SCALE
unset NO_AT_BRIDGE
first_parts=(wm registry shell)
system_bus=yes
activatable+=(org.kde.ActivityManager org.kde.kglobalaccel org.a11y.Bus)

scheme=BreezeLight icons=breeze
[ "$THEME" = light ] || scheme=BreezeDark icons=breeze-dark
cat - "/usr/share/color-schemes/$scheme.colors" >"$XDG_CONFIG_HOME/kdeglobals" <<INI
[KDE]
AnimationDurationFactor=0
[Icons]
Theme=$icons
INI
cat >"$XDG_CONFIG_HOME/kwinrc" <<'INI'
[Compositing]
Enabled=false
INI
# A panel at the bottom as a new person has it, its tray at the right end.
cat >"$XDG_CONFIG_HOME/plasma-org.kde.plasma.desktop-appletsrc" <<'INI'
[Containments][1]
formfactor=0
lastScreen=0
location=0
plugin=org.kde.desktopcontainment
wallpaperplugin=org.kde.color

[Containments][1][Wallpaper][org.kde.color][General]
Color=47,79,102

[Containments][2]
formfactor=2
lastScreen=0
location=4
plugin=org.kde.panel

[Containments][2][Applets][3]
plugin=org.kde.plasma.panelspacer

[Containments][2][Applets][4]
plugin=org.kde.plasma.systemtray

[Containments][2][Applets][4][Configuration]
SystrayContainmentId=6

[Containments][2][Applets][5]
plugin=org.kde.plasma.digitalclock

[Containments][2][General]
AppletOrder=3;4;5

[Containments][6]
formfactor=2
lastScreen=0
location=4
plugin=org.kde.plasma.private.systemtray
INI
cat >"$XDG_CONFIG_HOME/plasmashellrc" <<'INI'
[PlasmaViews][Panel 2][Defaults]
thickness=44
INI
