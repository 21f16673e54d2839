# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_palyra_tray_global_optspecs
    string join \n h/help V/version
end

function __fish_palyra_tray_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_palyra_tray_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_palyra_tray_using_subcommand
    set -l cmd (__fish_palyra_tray_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -s V -l version -d 'Print version'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "run" -d 'Start the agent (a second start shows the first)'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "demo" -d 'Show everything with built-in stand-ins, on a machine without Palyra'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "status" -d 'How it is'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "start" -d 'Start Palyra, or one service'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "stop" -d 'Stop Palyra, or one service'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "restart" -d 'Restart Palyra, or one service'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "approvals" -d 'What waits for your decision'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "pause" -d 'Pause all agents: abort what runs, and deny what they ask for until resume'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "resume" -d 'Let agents work again'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "open" -d 'Open the dashboard in your browser, signed in'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "node" -d 'This machine as a node: how it stands, enrol, repair, reset'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "onboard" -d 'Set Palyra up in a few dialogs, or go on where you left it'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "setup" -d 'The same on this terminal'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "window" -d 'The tray\'s menu in a window, where there is no tray'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "autostart" -d 'Start by itself at every login, or not'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "config" -d 'What is done about Palyra\'s config'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "logs" -d 'The newest log lines of a service, or of the tray itself'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "doctor" -d 'Check everything that Palyra needs, and say what to do'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "about" -d 'Version, licence, and where everything lies'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "quit" -d 'End the agent, and Palyra with it'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c palyra-tray -n "__fish_palyra_tray_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand run" -l no-tray -d 'No icon and no notifications: supervision and the command line only'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand run" -l no-start -d 'Start no sidecar before it is asked for'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand run" -l no-set-up -d 'Do not open the set-up, even when nothing was ever set up here'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand run" -l verbose -d 'More words in the log'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand run" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand demo" -l state -d 'Keep the demo\'s state in this folder instead of a temporary one' -r -F
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand demo" -l no-tray -d 'No icon and no notifications'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand demo" -l verbose -d 'More words in the log'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand demo" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand status" -l json -d 'Everything, as JSON; with --watch a line each time'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand status" -s w -l watch -d 'Stay, and show what changes'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand status" -l diagnostics -d 'What to send to whoever helps: asks the gateway first, holds no secret'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand status" -l copy -d 'Into the clipboard, or a file where there is none'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand status" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand start" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand stop" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand restart" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and not __fish_seen_subcommand_from list show review approve deny help" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and not __fish_seen_subcommand_from list show review approve deny help" -f -a "list" -d 'What waits, riskiest first'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and not __fish_seen_subcommand_from list show review approve deny help" -f -a "show" -d 'One record, whole'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and not __fish_seen_subcommand_from list show review approve deny help" -f -a "review" -d 'Look at what waits, one after the other, and decide here'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and not __fish_seen_subcommand_from list show review approve deny help" -f -a "approve" -d 'Let it happen'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and not __fish_seen_subcommand_from list show review approve deny help" -f -a "deny" -d 'Refuse it'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and not __fish_seen_subcommand_from list show review approve deny help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from list" -l json -d 'As JSON, with the digest that approve needs'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from list" -l all -d 'Decided and expired ones too'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from show" -l json -d 'As JSON, with the digest that approve needs'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from review" -l dialog -d 'In a window instead of this terminal'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from review" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from approve" -l digest -d 'Digest of the record as you saw it; without it you are shown the record and asked' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from approve" -l scope -d 'How long an approval holds' -r -f -a "once\t''
session\t''
timeboxed\t''"
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from approve" -l ttl -d 'Length of a time box, for example 10m' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from approve" -l reason -d 'Kept with the decision' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from approve" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from deny" -l digest -d 'Digest of the record as you saw it; without it you are shown the record and asked' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from deny" -l scope -d 'How long an approval holds' -r -f -a "once\t''
session\t''
timeboxed\t''"
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from deny" -l ttl -d 'Length of a time box, for example 10m' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from deny" -l reason -d 'Kept with the decision' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from deny" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from help" -f -a "list" -d 'What waits, riskiest first'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from help" -f -a "show" -d 'One record, whole'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from help" -f -a "review" -d 'Look at what waits, one after the other, and decide here'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from help" -f -a "approve" -d 'Let it happen'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from help" -f -a "deny" -d 'Refuse it'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand approvals; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand pause" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand resume" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand open" -l session -d 'Session to show' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand open" -l run -d 'Run to show' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand open" -l device -d 'Device to show' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand open" -l intent -d 'What you came for, for example inspect-run' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand open" -l start -d 'Start Palyra first if it is stopped'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand open" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and not __fish_seen_subcommand_from status enroll repair reset help" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and not __fish_seen_subcommand_from status enroll repair reset help" -f -a "status" -d 'How it stands'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and not __fish_seen_subcommand_from status enroll repair reset help" -f -a "enroll" -d 'Pair this machine with the gateway as a node'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and not __fish_seen_subcommand_from status enroll repair reset help" -f -a "repair" -d 'Get a new certificate, after the old one expired or is refused'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and not __fish_seen_subcommand_from status enroll repair reset help" -f -a "reset" -d 'Forget the enrolment'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and not __fish_seen_subcommand_from status enroll repair reset help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from status" -l json -d 'As JSON'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from enroll" -l yes -d 'I know what it means: do not ask'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from enroll" -l dialog -d 'Ask in a window'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from enroll" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from repair" -l yes -d 'I know what it means: do not ask'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from repair" -l dialog -d 'Ask in a window'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from repair" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from reset" -l yes -d 'I know what it means: do not ask'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from reset" -l dialog -d 'Ask in a window'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "status" -d 'How it stands'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "enroll" -d 'Pair this machine with the gateway as a node'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "repair" -d 'Get a new certificate, after the old one expired or is refused'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "reset" -d 'Forget the enrolment'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand node; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand onboard" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand setup" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand window" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and not __fish_seen_subcommand_from on off status help" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and not __fish_seen_subcommand_from on off status help" -f -a "on" -d 'From the next login on, start by itself'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and not __fish_seen_subcommand_from on off status help" -f -a "off" -d 'Do not'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and not __fish_seen_subcommand_from on off status help" -f -a "status" -d 'Whether it does, and by what'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and not __fish_seen_subcommand_from on off status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from on" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from off" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from status" -l json -d 'As JSON'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from help" -f -a "on" -d 'From the next login on, start by itself'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from help" -f -a "off" -d 'Do not'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from help" -f -a "status" -d 'Whether it does, and by what'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand autostart; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and not __fish_seen_subcommand_from restarts write-ports help" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and not __fish_seen_subcommand_from restarts write-ports help" -f -a "restarts" -d 'Whether a change of Palyra\'s config restarts what it touches'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and not __fish_seen_subcommand_from restarts write-ports help" -f -a "write-ports" -d 'Write the ports that are listened on into it, where it names others'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and not __fish_seen_subcommand_from restarts write-ports help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and __fish_seen_subcommand_from restarts" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and __fish_seen_subcommand_from write-ports" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "restarts" -d 'Whether a change of Palyra\'s config restarts what it touches'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "write-ports" -d 'Write the ports that are listened on into it, where it names others'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand logs" -s n -l lines -d 'How many lines' -r
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand logs" -s f -l follow -d 'Go on with the lines that come'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand logs" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand doctor" -l json -d 'As JSON'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand doctor" -l dialog -d 'In a window'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand about" -l dialog -d 'In a window'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand about" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand quit" -l keep-running -d 'Leave Palyra running; the next agent takes it back'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand quit" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand completions" -s h -l help -d 'Print help'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "run" -d 'Start the agent (a second start shows the first)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "demo" -d 'Show everything with built-in stand-ins, on a machine without Palyra'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "status" -d 'How it is'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "start" -d 'Start Palyra, or one service'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "stop" -d 'Stop Palyra, or one service'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "restart" -d 'Restart Palyra, or one service'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "approvals" -d 'What waits for your decision'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "pause" -d 'Pause all agents: abort what runs, and deny what they ask for until resume'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "resume" -d 'Let agents work again'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "open" -d 'Open the dashboard in your browser, signed in'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "node" -d 'This machine as a node: how it stands, enrol, repair, reset'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "onboard" -d 'Set Palyra up in a few dialogs, or go on where you left it'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "setup" -d 'The same on this terminal'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "window" -d 'The tray\'s menu in a window, where there is no tray'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "autostart" -d 'Start by itself at every login, or not'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "config" -d 'What is done about Palyra\'s config'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "logs" -d 'The newest log lines of a service, or of the tray itself'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "doctor" -d 'Check everything that Palyra needs, and say what to do'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "about" -d 'Version, licence, and where everything lies'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "quit" -d 'End the agent, and Palyra with it'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "completions" -d 'Print the completions for a shell'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and not __fish_seen_subcommand_from run demo status start stop restart approvals pause resume open node onboard setup window autostart config logs doctor about quit completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from approvals" -f -a "list" -d 'What waits, riskiest first'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from approvals" -f -a "show" -d 'One record, whole'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from approvals" -f -a "review" -d 'Look at what waits, one after the other, and decide here'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from approvals" -f -a "approve" -d 'Let it happen'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from approvals" -f -a "deny" -d 'Refuse it'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "status" -d 'How it stands'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "enroll" -d 'Pair this machine with the gateway as a node'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "repair" -d 'Get a new certificate, after the old one expired or is refused'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from node" -f -a "reset" -d 'Forget the enrolment'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from autostart" -f -a "on" -d 'From the next login on, start by itself'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from autostart" -f -a "off" -d 'Do not'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from autostart" -f -a "status" -d 'Whether it does, and by what'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "restarts" -d 'Whether a change of Palyra\'s config restarts what it touches'
complete -c palyra-tray -n "__fish_palyra_tray_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "write-ports" -d 'Write the ports that are listened on into it, where it names others'
