//! What a C compiler makes of Xen's own headers. Needs `cc` and libxen-dev.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// Compiles and runs a program that prints `name=value` for each C expression, in which `header` (of xen/io) is known.
pub(crate) fn evaluate(header: &str, name: &str, expressions: &[&str]) -> BTreeMap<String, i64> {
    let lines: String = expressions
        .iter()
        .map(|e| {
            let name = e.replace('"', "\\\"");
            format!("    printf(\"%s=%lld\\n\", \"{name}\", (long long)({e}));\n")
        })
        .collect();
    let source = format!(
        "#include <stdint.h>\n#include <stddef.h>\n#include <string.h>\n#include <stdio.h>\n\
         #define xen_mb()\n#define xen_rmb()\n#define xen_wmb()\n\
         #include <xen/xen.h>\n#include <xen/grant_table.h>\n#include <xen/io/{header}>\n\
         #include <xen/io/protocols.h>\n\
         int main(void) {{\n{lines}    return 0;\n}}\n"
    );
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let program = directory.join(name);
    let c = program.with_extension("c");
    std::fs::write(&c, source).unwrap();
    let compiler = Command::new("cc").arg(&c).arg("-o").arg(&program).output();
    let compiler = compiler.expect("a C compiler called cc is needed");
    assert!(
        compiler.status.success(),
        "libxen-dev is needed: {}",
        String::from_utf8_lossy(&compiler.stderr)
    );
    let output = Command::new(&program).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let (name, value) = line.rsplit_once('=').unwrap();
            (name.to_string(), value.parse().unwrap())
        })
        .collect()
}

/// Compares each C expression with our value of it.
pub(crate) fn agree(header: &str, pairs: &[(&str, i64)]) {
    let expressions: Vec<_> = pairs.iter().map(|(expression, _)| *expression).collect();
    let theirs = evaluate(header, "layouts", &expressions);
    for (expression, ours) in pairs {
        assert_eq!(theirs[*expression], *ours, "{expression}");
    }
}

/// The size of a C struct, and the offsets of its fields, with ours.
macro_rules! layout {
    ($pairs:ident, $c:literal, $rust:ty { $($field:ident),* }) => {
        $pairs.push((concat!("sizeof(struct ", $c, ")"), size_of::<$rust>() as i64));
        $($pairs.push((
            concat!("offsetof(struct ", $c, ", ", stringify!($field), ")"),
            std::mem::offset_of!($rust, $field) as i64,
        ));)*
    };
}
pub(crate) use layout;
