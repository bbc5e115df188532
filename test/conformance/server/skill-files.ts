const SKILL = `---
name: release-notes
description: Writes release notes from a list of changes.
---

# Release notes

Read references/STYLE.md, then group the changes by what they mean for a reader.
`;

/** The fixture's skills, by path. */
export const SKILL_FILES: Readonly<Record<string, string>> = {
  'release-notes/SKILL.md': SKILL,
  'release-notes/references/STYLE.md': '# Style\n\nOne sentence for each change.\n',
};
