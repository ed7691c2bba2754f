/// Who is told what a job has come to.
extension ConfigurationKey {
    static var reportAddresses: Self {
        Self(
            path: "dual_writer.admin",
            kind: .texts,
            fallback: nil,
            help: "The admin ports of all sidecars, whose gates are told what a comparison of everything came to."
        )
    }

    static var reportToken: Self {
        Self(
            path: "dual_writer.token",
            kind: .secret,
            fallback: nil,
            help: "The token of these admin ports, with which their gates are told what the job has come to."
        )
    }

    static var reportTokenFile: Self {
        Self.file("dual_writer.token_file", "A file that holds this token, instead of token.")
    }
}

extension ReportSender.Targets {
    /// Reads what `dual_writer` holds.
    init(_ values: inout ConfigurationValues) {
        self.init(
            addresses: values.texts("dual_writer.admin"),
            token: values.secret("dual_writer.token", file: "dual_writer.token_file")
        )
    }
}
