#!/usr/bin/env bash
# The settings of an XFCE desktop: xfwm4, xfce4-panel, and dunst or xfce4-notifyd. Read by scripts/desktop.
# shellcheck disable=SC2034,SC2154 # shared with scripts/desktop

export XDG_CURRENT_DESKTOP=XFCE DESKTOP_SESSION=xfce
# No accessibility bus: programs start faster without, and the tools do not need it here.
export NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory
first_parts=(wm)
activatable+=(org.xfce.Xfconf) # the settings store of the panel

gtk_dark=0 panel_dark=false
if [ "$THEME" = dark ]; then
    gtk_dark=1 panel_dark=true
    export GTK_THEME=Adwaita:dark
fi
mkdir -p "$XDG_CONFIG_HOME/gtk-3.0"
cat >"$XDG_CONFIG_HOME/gtk-3.0/settings.ini" <<INI
[Settings]
gtk-theme-name=Adwaita
gtk-icon-theme-name=Adwaita
gtk-font-name=DejaVu Sans 9
gtk-application-prefer-dark-theme=$gtk_dark
gtk-enable-animations=0
INI

channels=$XDG_CONFIG_HOME/xfce4/xfconf/xfce-perchannel-xml
mkdir -p "$channels"
cat >"$channels/xfwm4.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfwm4" version="1.0">
  <property name="general" type="empty">
    <property name="use_compositing" type="bool" value="false"/>
    <property name="workspace_count" type="int" value="1"/>
  </property>
</channel>
XML
cat >"$channels/xfce4-notifyd.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-notifyd" version="1.0">
  <property name="do-fadeout" type="bool" value="false"/>
  <property name="do-slideout" type="bool" value="false"/>
  <property name="expire-timeout-enabled" type="bool" value="false"/>
  <property name="initial-opacity" type="double" value="1.0"/>
  <property name="notify-location" type="uint" value="2"/>
</channel>
XML
cat >"$channels/xfce4-panel.xml" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="$panel_dark"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="30"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
        <value type="int" value="3"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="tasklist"/>
    <property name="plugin-2" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-3" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
XML

mkdir -p "$XDG_CONFIG_HOME/dunst"
cat >"$XDG_CONFIG_HOME/dunst/dunstrc" <<INI
[global]
    width = 380
    height = 300
    offset = 12x44
    origin = top-right
    notification_limit = 20
    font = DejaVu Sans 9
    markup = full
    format = "<b>%s</b>\n%b"
    word_wrap = yes
    show_age_threshold = -1
    sort = no
    dmenu = $tools/dunst-dmenu
    browser = /bin/true
    mouse_left_click = do_action, close_current
    mouse_right_click = close_current
# Nothing leaves the screen by itself, unless it was sent with a time of its own.
[urgency_low]
    timeout = 0
[urgency_normal]
    timeout = 0
[urgency_critical]
    timeout = 0
INI
