#!/usr/bin/env bash
# The settings of a GNOME desktop: GNOME Shell as an X11 session, with the AppIndicator extension unless DESKTOP is
# gnome-bare. Read by scripts/desktop.
#
# An X11 session, because there the same programs act as hands and eyes as on the other desktops. Top bar, notifications
# and the extension are the same code in a Wayland session.
# shellcheck disable=SC2034,SC2154 # shared with scripts/desktop

export XDG_CURRENT_DESKTOP=GNOME DESKTOP_SESSION=gnome GSETTINGS_BACKEND=keyfile
unset NO_AT_BRIDGE
first_parts=(shell)
system_bus=yes
activatable+=(org.gnome.Shell.Notifications org.a11y.Bus)

extensions="'ubuntu-appindicators@ubuntu.com'"
[ "$DESKTOP" = gnome ] || extensions=
gtk_theme=Adwaita scheme=default gtk_dark=0
[ "$THEME" = light ] || gtk_theme=Adwaita-dark scheme=prefer-dark gtk_dark=1
mkdir -p "$XDG_CONFIG_HOME/glib-2.0/settings" "$XDG_CONFIG_HOME/gtk-3.0" "$XDG_DATA_HOME/gnome-shell"
cat >"$XDG_CONFIG_HOME/glib-2.0/settings/keyfile" <<INI
[org/gnome/shell]
enabled-extensions=[$extensions]
welcome-dialog-last-shown-version='99'
[org/gnome/desktop/interface]
enable-animations=false
gtk-theme='$gtk_theme'
color-scheme='$scheme'
scaling-factor=uint32 $SCALE
INI
cat >"$XDG_CONFIG_HOME/gtk-3.0/settings.ini" <<INI
[Settings]
gtk-theme-name=Adwaita
gtk-icon-theme-name=Adwaita
gtk-font-name=Cantarell 11
gtk-application-prefer-dark-theme=$gtk_dark
gtk-enable-animations=0
INI
# It was told already that there is no screen lock here, and does not tell again.
: >"$XDG_DATA_HOME/gnome-shell/lock-warning-shown"
