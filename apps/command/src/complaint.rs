//! What is wrong with arguments, in one line.

/// What clap says in several lines, in one, without what would act upon a terminal.
pub fn complaint(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .collect();
    let line = lines.join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    let shown = line.chars().map(|character| match character {
        c if is_dangerous(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    format!("{} (try --help)", shown.collect::<String>())
}

/// Whether a terminal might act upon a character, or a reader be deceived by it: controls, and characters that are invisible or turn the
/// direction of others (Unicode's categories Cc, Cf, Zl and Zp, as far as they matter).
pub fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0xad | 0x61c
                | 0x200b..=0x200f
                | 0x2028..=0x202e
                | 0x2060..=0x206f
                | 0xfeff
                | 0xfff9..=0xfffb
                | 0xe0000..=0xe007f
        )
}
