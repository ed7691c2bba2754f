import CQLProtocol
import CQLSyntax
import NIOCore

/// Cutting a stream into frames: whatever comes, in whatever pieces, frames are the same or the error is.
enum FrameTarget {
    static func run(_ input: [UInt8]) {
        var whole = FrameReader(maximumBodyLength: 1 << 20)
        whole.append(ByteBuffer(bytes: input))
        var pieces = FrameReader(maximumBodyLength: 1 << 20)
        var frames: [RawFrame] = []
        var failed = false
        for start in stride(from: 0, to: input.count, by: 7) where !failed {
            pieces.append(ByteBuffer(bytes: input[start..<min(start + 7, input.count)]))
            failed = !self.take(&pieces, &frames)
        }
        var others: [RawFrame] = []
        let otherFailed = !self.take(&whole, &others)
        require(frames == others && failed == otherFailed, "pieces give the frames of the whole")
        for frame in frames {
            var buffer = ByteBuffer()
            frame.write(into: &buffer)
            require(buffer.readableBytes == frame.header.frameLength, "a frame is written in its length")
        }
    }

    private static func take(_ reader: inout FrameReader, _ frames: inout [RawFrame]) -> Bool {
        do throws(CQLProtocolError) {
            while let frame = try reader.nextFrame() { frames.append(frame) }
            return true
        } catch { return false }
    }
}

/// Messages of both directions: what decodes says the same again after it was encoded.
enum MessageTarget {
    static func run(_ input: [UInt8]) {
        var reader = FrameReader(maximumBodyLength: 1 << 20)
        reader.append(ByteBuffer(bytes: input))
        while let frame = (try? reader.nextFrame()) ?? nil {
            if let request = try? RequestFrame(decoding: frame) {
                guard let again = try? request.encoded() else { continue }
                require(
                    Self.raw(again).flatMap { try? RequestFrame(decoding: $0) } == request,
                    "a request says the same again"
                )
            }
            if let response = try? ResponseFrame(decoding: frame) {
                guard let again = try? response.encoded() else { continue }
                let decoded = Self.raw(again).flatMap { try? ResponseFrame(decoding: $0) }
                require(decoded == response, "a response says the same again")
                if case .result(.rows(let rows)) = response.response { for row in rows { Self.decode(row) } }
            }
        }
    }

    private static func raw(_ bytes: ByteBuffer) -> RawFrame? {
        var reader = FrameReader()
        reader.append(bytes)
        return (try? reader.nextFrame()) ?? nil
    }

    private static func decode(_ row: Row) {
        for index in row.columns.indices { _ = try? row.value(at: index) }
    }
}

/// Values of types that the input itself names.
enum ValueTarget {
    static func run(_ input: [UInt8]) {
        guard let split = input.firstIndex(of: 0x0a) else { return }
        let name = String(decoding: input[..<split], as: UTF8.self)
        guard let type = DataType(marshalClass: name) else { return }
        let bytes = ByteBuffer(bytes: input[(split + 1)...])
        guard let value = try? CQLValue(decoding: bytes, as: type) else { return }
        guard let encoded = try? value.encoded(as: type) else {
            return require(false, "what decodes can be encoded")
        }
        let again = try? CQLValue(decoding: encoded, as: type)
        // A NaN is not equal to itself.
        require(
            again == value || String(describing: again) == String(describing: Optional(value)),
            "a value says the same again"
        )
    }
}

/// CQL text: analysis never fails, its ranges lie in the text, and what it rewrites is still a statement.
enum CQLTarget {
    static func run(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        let count = text.utf8.count
        let analysis = StatementAnalysis.analyze(text)
        require(analysis.range.start >= 0 && analysis.range.end <= count, "the statement lies in the text")
        for child in analysis.children {
            require(child.range.start <= child.range.end && child.range.end <= count, "a child lies in the text")
        }
        for function in analysis.functions {
            require(
                function.range.start < function.range.end && function.range.end <= count,
                "a function lies in the text"
            )
        }
        let parsed = try? Parser.parse(text)
        require((parsed != nil) == (analysis.precision == .parsed), "analysis parses what the parser parses")
        if let values = analysis.serverValues { self.evaluate(text, values) }
        guard parsed != nil, analysis.hasConditions, analysis.children.isEmpty else { return }
        if let plain = StatementRewriter.unconditional(text) {
            let again = StatementAnalysis.analyze(plain.text)
            require(again.precision == .parsed && !again.hasConditions, "without its condition it is still a statement")
        }
    }

    private static func evaluate(_ text: String, _ values: ServerValues) {
        var end = 0
        for call in values.calls {
            require(
                call.range.start >= end && call.range.end <= text.utf8.count,
                "calls lie in the text one after another"
            )
            end = call.range.end
        }
        let bytes = [[UInt8]](repeating: [0xca, 0xfe], count: values.calls.count)
        let evaluated = StatementAnalysis.analyze(StatementRewriter.evaluated(text, values.calls, values: bytes))
        require(evaluated.serverValues == nil, "what is evaluated is so for good")
        // A value is nested one level deeper than its call: at the limit the text is not understood any more.
        guard evaluated.precision == values.analysis.precision else { return }
        require(evaluated.isIdempotent == values.analysis.isIdempotent, "it is what was foretold")
        require(evaluated.markers.count == values.analysis.markers.count, "it has its own markers")
        guard let bindable = StatementRewriter.bindable(text, values) else { return }
        let bound = StatementAnalysis.analyze(bindable.text)
        let count = values.analysis.markers.count + values.calls.count
        require(bound.serverValues == nil && bound.markers.count == count, "there is a marker for each call")
    }
}

/// Compressed bodies: hostile ones give an error, and what was compressed comes back.
enum CompressionTarget {
    static func run(_ input: [UInt8]) {
        let body = ByteBuffer(bytes: input)
        for compression in BodyCompression.allCases {
            _ = try? compression.decompress(body, maximumLength: 1 << 20)
            guard let packed = try? compression.compress(body) else { continue }
            require((try? compression.decompress(packed, maximumLength: 1 << 24)) == body, "a body comes back")
        }
    }
}
