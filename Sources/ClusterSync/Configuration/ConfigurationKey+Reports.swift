/// Who is told what a job has come to.
extension ConfigurationKey {
    /// How their certificates are checked, and what is shown to them.
    static var reportTLS: [Self] {
        [
            Self.file(
                "dual_writer.tls.ca_file",
                "The authorities that the certificates of the sidecars' admin ports come from; else those of the system."
            ),
            Self.file("dual_writer.tls.certificate_file", "The certificate to show to them."),
            Self.file("dual_writer.tls.key_file", "Its key."),
        ]
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
            token: values.secret("dual_writer.token", file: "dual_writer.token_file"),
            tls: TLSFiles.client(&values, below: "dual_writer.tls")
        )
    }
}
