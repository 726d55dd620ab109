/**
 * What Twisted calls its things, by the section of docs/twisted.md whose table has them: `__all__` and the classes of its modules
 * in version 22.4, the members of its interfaces, what later versions have added, and the attributes and private classes that
 * programs are known to use. test/twisted-table.test.ts looks each of them up in the first column of the table.
 */
export const TWISTED_NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    'The reactor': `
      reactor IReactorCore run stop crash iterate running callWhenRunning addSystemEventTrigger removeSystemEventTrigger
      fireSystemEvent resolve disconnectAll wakeUp installWaker _lock sigInt sigTerm sigBreak _exitSignal
      _ISupportsExitSignalCapturing SignalHandling _WithSignalHandling _WithoutSignalHandling _MultiSignalHandling
      _ChildSignalHandling threadCallQueue runUntilCurrent timeout doIteration mainLoop startRunning installReactor installed
      ReactorBase PosixReactorBase IReactorDaemonize beforeDaemonize afterDaemonize IReactorWin32Events addEvent removeEvent
      default.install selectreactor pollreactor epollreactor kqreactor iocpreactor asyncioreactor cfreactor gireactor
      glib2reactor gtk2reactor gtk3reactor tksupport wxreactor wxsupport win32eventreactor _threadedselect pyuisupport
      AsyncioSelectorReactor asyncioreactor.install getReactorTypes Reactor NoSuchReactor IReactorInstaller`,
    Time: `
      IReactorTime seconds callLater getDelayedCalls IDelayedCall DelayedCall getTime cancel delay reset active
      activate_delay debug creator`,
    'TCP, ports and transports': `
      IReactorTCP listenTCP connectTCP IConnector connect disconnect stopConnecting getDestination state BaseConnector
      tcp.Connector cancelTimeout timeoutID Connector.buildProtocol IListeningPort startListening stopListening getHost BasePort
      tcp.Port numberAccepts sessionno Port.transport ITransport write writeSequence loseConnection getPeer ITCPTransport
      loseWriteConnection abortConnection getTcpNoDelay setTcpNoDelay getTcpKeepAlive setTcpKeepAlive ISystemHandle getHandle
      FileDescriptor tcp.Connection tcp.BaseClient tcp.Client tcp.Server connected disconnecting disconnected dataBuffer offset
      bufferSize SEND_LIMIT writeSomeData startReading stopReading startWriting stopWriting stopConsuming ILoggingContext
      logPrefix logstr IHalfCloseableProtocol IHalfCloseableDescriptor readConnectionLost writeConnectionLost
      _FileDescriptorReservation _BuffersLogs _accept isIPAddress isIPv6Address`,
    'Producers and consumers': `
      IConsumer registerProducer unregisterProducer write IProducer IPushProducer IPullProducer pauseProducing resumeProducing
      stopProducing _ConsumerMixin producer producerPaused streamingProducer _PullToPush startStreaming stopStreaming
      BasicProducerConsumerProxy ProducerConsumerProxy iAmStreaming ProtocolToConsumerAdapter ConsumerToProtocolAdapter`,
    TLS: `
      IReactorSSL listenSSL connectSSL ITLSTransport startTLS ISSLTransport getPeerCertificate INegotiated negotiatedProtocol
      IHandshakeListener handshakeCompleted IProtocolNegotiationFactory acceptableProtocols IOpenSSLClientConnectionCreator
      clientConnectionForTLS IOpenSSLServerConnectionCreator serverConnectionForTLS IOpenSSLContextFactory getContext
      optionsForClientTLS sendServerName ClientTLSOptions CertificateOptions privateKey certificate extraCertChain caCerts
      trustRoot verify requireCertificate method raiseMinimumTo insecurelyLowerMinimumTo lowerMaximumSecurityTo
      acceptableCiphers dhParameters enableSessions enableSessionTickets verifyDepth verifyOnce enableSingleUseKeys
      fixBrokenPeers contextForServerName autoReloadingDirectoryOfPEMs SNIConnectionCreator platformTrust OpenSSLDefaultPaths
      IOpenSSLTrustRoot trustRootFromCertificates Certificate load loadPEM dump dumpPEM inspect getSubject getIssuer
      getPublicKey serialNumber digest peerFromTransport hostFromTransport Certificate.options PrivateCertificate.options
      fromCertificateAndKeyPair newCertificate certificateRequest signCertificateRequest signRequestObject CertificateRequest
      KeyPair.generate selfSignedCert requestObject PublicKey matches keyHash DistinguishedName DN AcceptableCiphers
      fromOpenSSLCipherString IAcceptableCiphers selectCiphers ICipher fullName DiffieHellmanParameters fromFile TLSVersion
      VerificationError SimpleVerificationError simpleVerifyHostname simpleVerifyIPAddress ProtocolNegotiationSupport
      protocolNegotiationMechanisms ContextFactory DefaultOpenSSLContextFactory ClientContextFactory ssl.Client ssl.Server
      ssl.Connector ssl.Port ClientMixin ServerMixin ConnectionMixin TLSMemoryBIOFactory TLSMemoryBIOProtocol
      BufferingTLSTransport _AggregateSmallWrites`,
    UDP: `
      IReactorUDP IReactorMulticast listenUDP listenMulticast IUDPTransport write writeSequence connect getHost stopListening
      setBroadcastAllowed getBroadcastAllowed IMulticastTransport getOutgoingInterface setOutgoingInterface getLoopbackMode
      setLoopbackMode getTTL setTTL joinGroup leaveGroup udp.Port udp.MulticastPort udp.MulticastMixin maxThroughput
      maxPacketSize AbstractDatagramProtocol DatagramProtocol startProtocol stopProtocol doStart doStop makeConnection
      datagramReceived connectionRefused numPorts ConnectedDatagramProtocol connectionFailed`,
    'UNIX sockets': `
      IReactorUNIX listenUNIX connectUNIX wantPID checkPID unix.Port unix.Connector unix.Client unix.Server
      IReactorUNIXDatagram listenUNIXDatagram connectUNIXDatagram IUNIXDatagramTransport IUNIXDatagramConnectedTransport
      unix.DatagramPort unix.ConnectedDatagramPort IUNIXTransport sendFileDescriptor IFileDescriptorReceiver
      fileDescriptorReceived`,
    Processes: `
      IReactorProcess spawnProcess usePTY PTYProcess childFDs IProcessTransport pid write writeSequence writeToChild
      closeStdin closeStdout closeStderr closeChildFD loseConnection signalProcess registerProducer unregisterProducer
      pauseProducing resumeProducing IProcessProtocol ProcessProtocol makeConnection connectionMade childDataReceived
      childConnectionLost processExited processEnded outReceived errReceived inConnectionLost outConnectionLost
      errConnectionLost reapAllProcesses registerReapProcessHandler unregisterReapProcessHandler _SIGCHLDWaker detector
      _FDDetector process.Process ProcessReader ProcessWriter`,
    Threads: `
      IReactorThreads IReactorFromThreads IReactorInThreads callFromThread callInThread getThreadPool suggestThreadPoolSize
      deferToThread deferToThreadPool callMultipleInThread blockingCallFromThread ThreadPool start stop
      callInThreadWithCallback adjustPoolsize startAWorker stopAWorker dumpStats workers working waiters min max Team
      ThreadWorker LockWorker IWorker IExclusiveWorker AlreadyQuit _threads.pool createMemoryWorker`,
    'File descriptors': `
      IReactorFDSet addReader addWriter removeReader removeWriter removeAll getReaders getWriters IFileDescriptor
      IReadDescriptor IWriteDescriptor IReadWriteDescriptor fileno doRead doWrite _PollLikeMixin _ContinuousPolling
      setNonBlocking setBlocking readFromFD writeToFD INotify watch ignore humanReadableMask SerialPort`,
    'Name resolution': `
      IHostnameResolver resolveHostName IResolutionReceiver resolutionBegan addressResolved resolutionComplete IHostResolution
      name cancel HostResolution GAIResolver SimpleResolverComplexifier ComplexResolverSimplifier FirstOneWins
      IResolverSimple getHostByName BlockingResolver ThreadedResolver IReactorPluggableNameResolver nameResolver
      installNameResolver IReactorPluggableResolver installResolver PluggableResolverMixin IResolver query`,
    'Socket adoption': `
      IReactorSocket adoptStreamPort adoptStreamConnection adoptDatagramPort ListenFDs fromEnvironment inheritedDescriptors
      inheritedNamedDescriptors`,
    Addresses: `
      IAddress IPv4Address IPv6Address flowInfo scopeID UNIXAddress HostnameAddress _ProcessAddress PipeAddress`,
    Errors: `
      ConnectionClosed ConnectionDone ConnectionLost ConnectionAborted CONNECTION_DONE CONNECTION_LOST connectionDone
      FileDescriptorOverrun ConnectionFdescWentAway ConnectError ConnectBindError UnknownHostError NoRouteError
      ConnectionRefusedError TCPTimedOutError BadFileError ServiceNameUnknownError UserError TimeoutError SSLError
      getConnectError DNSLookupError BindError CannotListenError MessageLengthError MulticastJoinError InvalidAddressError
      AlreadyCalled AlreadyCancelled NotConnectingError NotListeningError ConnectInProgressError ReactorNotRunning
      ReactorNotRestartable ReactorAlreadyRunning ReactorAlreadyInstalledError ConnectingCancelledError NoProtocol
      AlreadyListened UnsupportedAddressFamily UnsupportedSocketType ProcessDone ProcessTerminated ProcessExitedAlready
      VerifyError PeerVerifyError CertificateError PotentialZombieWarning AlreadyCalledError CancelledError
      NotACoroutineError FirstError FailureGroup QueueOverflow QueueUnderflow AlreadyTryingToLockError SchedulerError
      SchedulerStopped TaskFinished TaskDone TaskStopped TaskFailed NotPaused`,
    defer: `
      Deferred addCallbacks addCallback addErrback addBoth addTimeout chainDeferred callback errback pause unpause cancel called
      paused result callbacks __await__ __iter__ asFuture fromFuture fromCoroutine ensureDeferred Deferred.debug setDebugging
      getDebugging DebugInfo succeed fail execute maybeDeferred logError passthru DeferredList SUCCESS FAILURE gatherResults
      race inlineCallbacks returnValue waitForDeferred deferredGenerator timeout DeferredLock acquire release run locked
      waiting DeferredSemaphore tokens limit DeferredQueue put get pending DeferredFilesystemLock deferUntilLocked
      AlreadyCalledError CancelledError defer.TimeoutError NotACoroutineError FirstError FailureGroup QueueOverflow
      QueueUnderflow AlreadyTryingToLockError`,
    task: `
      LoopingCall withCount start stop reset running interval clock call starttime LoopingCall.deferred __call__ Clock seconds
      callLater getDelayedCalls advance pump rightNow calls deferLater react SystemExit Cooperator coiterate cooperate
      Cooperator.start CooperativeTask whenDone pause resume task.cooperate task.coiterate SchedulerError SchedulerStopped
      TaskFinished TaskDone TaskStopped TaskFailed NotPaused`,
    failure: `
      Failure check trap value type tb frames parents stack raiseException throwExceptionIntoGenerator getErrorMessage
      getTraceback getBriefTraceback printTraceback printBriefTraceback printDetailedTraceback cleanFailure
      getTracebackObject startDebugMode format_frames pickled NoCurrentExceptionError DefaultException captureVars`,
    'utils and stdio': `
      getProcessOutput getProcessValue getProcessOutputAndValue stdinBytes runWithWarningsSuppressed suppressWarnings
      StandardIO`,
    'Protocols and factories': `
      IProtocol BaseProtocol Protocol makeConnection connectionMade dataReceived connectionLost connected transport factory
      IProtocolFactory Factory buildProtocol doStart doStop startFactory stopFactory numPorts protocol forProtocol noisy
      Factory.logPrefix ServerFactory ClientFactory startedConnecting clientConnectionFailed clientConnectionLost
      ReconnectingClientFactory ClientCreator FileWrapper Echo Discard QOTD Chargen Who Daytime Time Logger log`,
    Endpoints: `
      IStreamClientEndpoint IStreamServerEndpoint connect listen TCP4ServerEndpoint TCP6ServerEndpoint TCP4ClientEndpoint
      TCP6ClientEndpoint HostnameEndpoint SSL4ServerEndpoint SSL4ClientEndpoint wrapClientTLS wrapServerTLS
      UNIXServerEndpoint UNIXClientEndpoint StandardIOEndpoint ProcessEndpoint StandardErrorBehavior
      AdoptedStreamServerEndpoint connectProtocol _WrapperEndpoint _WrapperServerEndpoint clientFromString serverFromString
      quoteStringArgument IStreamServerEndpointStringParser IStreamClientEndpointStringParserWithReactor`,
    Tests: `
      StringTransport StringTransportWithDisconnection MemoryReactor MemoryReactorClock RaisingMemoryReactor
      FakeDatagramTransport AccumulatingProtocol LineSendingProtocol NonStreamingProducer StringIOWithoutClosing
      waitUntilAllDisconnected EventLoggingObserver connectedServerAndClient iosim.connect IOPump FakeTransport loopbackAsync
      ConnectionCompleter successResultOf failureResultOf assertNoResult assertFailure flushLoggedErrors
      DirtyReactorAggregateError ReactorBuilder`,
  }).map(([section, names]) => [section, names.trim().split(/\s+/)]),
);

/**
 * What stands in the second column in the manner of code, and is none of Ropewalk's names, by the reason for it.
 */
export const NAMES_OF_OTHERS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    'words of JavaScript and its types': `
      new await const yield return function using async undefined instanceof throw stack T TypeError RangeError AggregateError
      AssertionError Infinity`,
    'modules, classes and members of Node': `
      dns fs net crypto child_process process X509Certificate Resolver Transform Socket AsyncLocalStorage
      generateKeyPair publicKey fingerprint256 subject issuer NODE_EXTRA_CA_CERTS`,
    packages: `ropewalk testing piscina serialport openssl peculiar x509 selfsigned pty script`,
    'names of Twisted, or of Python, that a sentence refers to': `checkPID None broadcast doneDeferred with`,
    'variables of an example': `types err`,
  }).map(([reason, names]) => [reason, names.trim().split(/\s+/)]),
);
