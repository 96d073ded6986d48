//! The fuzzing program: libFuzzer's when built with `--cfg fuzzing` (`npm run fuzz`), otherwise one that runs the target
//! of `M365_FUZZ_TARGET` on the files it is given, to look at a finding.
#![cfg_attr(fuzzing, no_main)]

use std::sync::OnceLock;

use m365_fuzz::Target;

fn target() -> Option<Target> {
    static TARGET: OnceLock<Option<Target>> = OnceLock::new();
    *TARGET.get_or_init(|| Target::named(&std::env::var("M365_FUZZ_TARGET").unwrap_or_default()))
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match target() {
        Some(target) => target.run(input),
        None => std::process::exit(2),
    }
});

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    let Some(target) = target() else {
        eprintln!("M365_FUZZ_TARGET is one of: {}", Target::ALL.map(Target::name).join(", "));
        return std::process::ExitCode::FAILURE;
    };
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(input) => target.run(&input),
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
    std::process::ExitCode::SUCCESS
}
