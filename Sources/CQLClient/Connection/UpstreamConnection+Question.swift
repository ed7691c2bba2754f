import CQLProtocol
import NIOCore

/// Asking whether a node answers now, where ``ClusterConfiguration/heartbeatIntervalMilliseconds`` is too long to wait.
extension UpstreamConnection {
    /// A question on its way. It takes one stream, however many ask meanwhile.
    struct Question {
        struct Asker {
            var id: Int
            var began: NIODeadline
            /// Whether the question has left for this one; where all streams were taken, whatever comes in is an answer.
            var isAsked: Bool
            var callback: (SignOfLife) -> Void
        }

        var askers: [Asker] = []
        var askersSeen = 0
        /// Whether it has left.
        var isSent = false
    }

    /// A read of one row: what answers OPTIONS but serves no query is of no use.
    private static var question: Query { Query("SELECT key FROM system.local WHERE key='local'") }

    /// Calls back once: at the answer, at the deadline, or when the connection ends. On the loop.
    ///
    /// The connection stays as it is: a node that pauses for some seconds must not lose what is on its way because somebody has
    /// asked. Silence for too long is the heartbeat's business.
    func ask(deadline: NIODeadline, _ callback: @escaping (SignOfLife) -> Void) {
        guard self.isReady, let loop = self.context?.eventLoop else { return callback(.lost) }
        var question = self.question ?? Question()
        question.askersSeen += 1
        let id = question.askersSeen
        let began = NIODeadline.now()
        if !question.isSent { question.isSent = self.sendQuestion() }
        question.askers.append(
            Question.Asker(id: id, began: began, isAsked: question.isSent, callback: callback)
        )
        self.question = question
        loop.assumeIsolated().scheduleTask(deadline: deadline) { self.deadlinePassed(ofAsker: id) }
    }

    private func sendQuestion() -> Bool {
        let request = RequestFrame(
            version: ProtocolVersion(rawValue: self.versionByte),
            stream: 0,
            request: .query(Self.question)
        )
        guard var body = try? request.encoded() else { return false }
        body.moveReaderIndex(forwardBy: FrameHeader.byteCount)
        let outcome = body.withUnsafeReadableBytes {
            self.send(
                versionByte: self.versionByte,
                flags: 0,
                opcode: Opcode.query.rawValue,
                $0,
                ticket: Self.questionTicket
            )
        }
        guard case .sent = outcome else { return false }
        return true
    }

    /// The node has answered.
    func answered(_ header: FrameHeader, _ body: UnsafeRawBufferPointer) {
        let question = self.question
        self.question = nil
        let frame = RawFrame(header: header, body: ByteBuffer(bytes: body))
        var refusal: String?
        // Who may not read it is answered, too.
        if case .error(let error)? = try? ResponseFrame(decoding: frame).response, error.code != .unauthorized {
            refusal = "\(error.code): \(error.message)"
        }
        let now = NIODeadline.now()
        for asker in question?.askers ?? [] {
            asker.callback(refusal.map { .refused($0) } ?? .answered(after: Self.duration(now - asker.began)))
        }
    }

    /// The connection has ended.
    func loseQuestion() {
        let askers = self.question?.askers ?? []
        self.question = nil
        for asker in askers { asker.callback(.lost) }
    }

    private func deadlinePassed(ofAsker id: Int) {
        guard let index = self.question?.askers.firstIndex(where: { $0.id == id }),
            let asker = self.question?.askers.remove(at: index)
        else { return }
        // Whoever asks next asks anew: one answer that is lost must not stand against all steps to come.
        if self.question?.askers.isEmpty == true { self.question = nil }
        let now = NIODeadline.now()
        if !asker.isAsked, self.lastInbound > asker.began {
            asker.callback(.answered(after: Self.duration(self.lastInbound - asker.began)))
        } else {
            asker.callback(.silent(for: Self.duration(now - self.lastInbound)))
        }
    }

    private static func duration(_ amount: TimeAmount) -> Duration { .nanoseconds(amount.nanoseconds) }
}
