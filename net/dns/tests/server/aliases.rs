//! Aliases that wildcards make.

use crate::support::{ask, server};

/// The wildcard stands for the name that it leads to, too.
#[test]
fn a_wildcard_that_leads_to_itself_is_followed_once() {
    let mut server = server(&[
        "example. 60 SOA ns.example. you.example. 1 2 3 4 5\nexample. 60 NS ns.example.\n*.example. 60 CNAME end.example.\n",
    ]);
    let expected =
        "NOERROR aa\na.example. 60 CNAME end.example.\nend.example. 60 CNAME end.example.\n";
    assert_eq!(ask(&mut server, "a.example. A"), expected);
    let expected = "NOERROR aa\nend.example. 60 CNAME end.example.\n";
    assert_eq!(ask(&mut server, "end.example. A"), expected);
}

/// What proves that a name is not there stands behind the answer, not between its records.
#[test]
fn the_proof_for_a_wildcard_comes_behind_the_whole_chain() {
    let signature = |owner: &str, covered: &str| {
        format!(
            "{owner} 60 RRSIG {covered} 15 2 60 20360101000000 20260101000000 1 example. AAAA\n"
        )
    };
    let mut zone = String::from(
        "example. 60 SOA ns.example. you.example. 1 2 3 4 5\nexample. 60 NS ns.elsewhere.test.\nexample. 60 NSEC *.example. NS SOA RRSIG NSEC\n\
         *.example. 60 CNAME end.example.\n*.example. 60 NSEC end.example. CNAME RRSIG NSEC\n\
         end.example. 60 A 192.0.2.1\nend.example. 60 NSEC example. A RRSIG NSEC\n",
    );
    for (owner, covered) in [
        ("example.", "SOA"),
        ("example.", "NSEC"),
        ("*.example.", "CNAME"),
        ("*.example.", "NSEC"),
        ("end.example.", "A"),
        ("end.example.", "NSEC"),
    ] {
        zone += &signature(owner, covered);
    }
    let shown = ask(&mut server(&[&zone]), "a.example. A do");
    let kinds: Vec<String> = shown
        .lines()
        .skip(1)
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let authority = words[0] == "?";
            let words = if authority { &words[1..] } else { &words[..] };
            format!(
                "{}{} {}",
                if authority { "? " } else { "" },
                words[0],
                words[2]
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "a.example. CNAME",
            "a.example. RRSIG",
            "end.example. A",
            "end.example. RRSIG",
            "? *.example. NSEC",
            "? *.example. RRSIG",
        ]
    );
}
