import HTTPTypes
import Hummingbird
import NIOCore

/// The live page: a few small files that are part of the program. `Files` holds them as they are served.
enum PageFiles {
    struct File: Sendable {
        let name: String
        let type: String
        let bytes: [UInt8]

        var response: Response {
            Response(
                status: .ok,
                headers: [.contentType: self.type, .contentSecurityPolicy: PageFiles.policy],
                body: .init(byteBuffer: ByteBuffer(bytes: self.bytes))
            )
        }
    }

    /// What the page may load and ask: its own parts, and this admin port.
    static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    static let index = File(name: "", type: "text/html; charset=utf-8", bytes: PackageResources.index_html)

    /// What the page loads, below `/page/`.
    static let parts = [
        File(name: "page.css", type: "text/css; charset=utf-8", bytes: PackageResources.page_css),
        Self.script("main.js", PackageResources.main_js),
        Self.script("admin.js", PackageResources.admin_js),
        Self.script("change.js", PackageResources.change_js),
        Self.script("dom.js", PackageResources.dom_js),
        Self.script("words.js", PackageResources.words_js),
        Self.script("sections.js", PackageResources.sections_js),
    ]

    private static func script(_ name: String, _ bytes: [UInt8]) -> File {
        File(name: name, type: "text/javascript; charset=utf-8", bytes: bytes)
    }
}
