//! Mistyped words.

/// Two ways of mistyping `word`: two letters exchanged, and one left out.
pub fn typos(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut found = Vec::new();
    let middle = letters.len() / 2;
    if letters.len() > 2 {
        let mut swapped = letters.clone();
        let at = (middle..letters.len() - 1).chain(0..middle).find(|at| letters[*at] != letters[at + 1]);
        if let Some(at) = at {
            swapped.swap(at, at + 1);
            found.push(swapped.into_iter().collect());
        }
        let mut shorter = letters;
        shorter.remove(middle);
        found.push(shorter.into_iter().collect());
    } else {
        found.push(format!("{word}x"));
    }
    found
}
