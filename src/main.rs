fn main() -> std::process::ExitCode {
    linkstar::cli::main()
}
