/** Scripts that have the program itself say what may come next, one word a line; where it says nothing, files are offered. */
export const SHELLS: Readonly<Record<string, string>> = {
  bash: `_wharf() {
  local IFS=$'\\n'
  COMPREPLY=($(wharf __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _wharf wharf
`,
  zsh: `#compdef wharf
_wharf() {
  local -a found
  found=("\${(@f)$(wharf __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[*]}" ]]; then compadd -a found; else _files; fi
}
if [[ "\${funcstack[1]}" == "_wharf" ]]; then _wharf "$@"; else compdef _wharf wharf; fi
`,
  fish: `function __wharf_complete
  set -l before (commandline -opc)
  wharf __complete -- $before[2..-1] (commandline -ct) 2>/dev/null
end
function __wharf_completes
  test -n "$(__wharf_complete)"
end
complete -c wharf -n __wharf_completes -f -a '(__wharf_complete)'
`,
};
