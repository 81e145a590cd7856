//! What must hold whatever the peer sends. The fuzz target and the replay of its corpus both call this.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use morgana_exec::{Executor, Task};
use morgana_hal::Instant;
use morgana_net_device::RxChecksum;
use morgana_net_stack::{
    AddressConfig, ConnectError, ConnectOptions, Limits, ListenOptions, Stack, StackConfig, Stats,
    TcpListener, TcpStream, UdpOptions, UdpSocket,
};

use crate::link::Link;
use crate::script::{Script, Step};

/// How many turns of the run loop one step may take: a stack that goes on for longer would go on for ever.
const TURNS: usize = 500;
/// How many steps are taken of an input.
const STEPS: usize = 300;

struct Run {
    executor: Executor,
    now: Instant,
    stack: Stack,
    link: Link,
    listener: TcpListener,
    socket: UdpSocket,
    streams: Vec<Option<TcpStream>>,
    connecting: Vec<Task<Result<TcpStream, ConnectError>>>,
}

/// Limits that short inputs can reach.
fn limits() -> Limits {
    Limits {
        connections: 6,
        buffer_memory: 24_000,
        receive_buffer: 4000,
        transmit_buffer: 4000,
        small_receive: 500,
        small_transmit: 1000,
        time_wait: 2,
        ..Limits::default()
    }
}

/// Checks one input, and returns what the stack has counted. Its first byte says how the stack is configured; the rest is a [`Script`].
pub(crate) fn check(input: &[u8]) -> Stats {
    let (&control, rest) = input.split_first().unwrap_or((&0, &[]));
    let mut run = Run::new(control);
    let mut script = Script(rest);
    for _ in 0..STEPS {
        let Some(step) = script.step(&run.link.0.borrow()) else {
            break;
        };
        run.step(step);
        run.check_limits();
    }
    run.finish()
}

impl Run {
    fn new(control: u8) -> Self {
        let mut executor = Executor::new();
        let now = Instant::from_nanos(5_000_000_000);
        executor.turn(now);
        let addresses = match control % 4 {
            0 => "ip=10.0.0.2/24 ip6=fd00::2/64",
            1 => "ip=10.0.0.2/24 gw=10.0.0.1 ip6=fd00::2/64 gw6=fd00::1",
            2 => "ip=dhcp ip6=auto",
            _ => "ip=10.0.0.2/24 ip6=auto",
        };
        let config = StackConfig {
            addresses: AddressConfig::parse(addresses).unwrap(),
            limits: limits(),
            seed: [3, 4],
        };
        let link = Link::default();
        let timers = executor.handle().timers();
        let (stack, runner) = Stack::new(link.clone(), config, &timers);
        let task = executor.handle().spawn(async move {
            runner.run().await;
        });
        drop(task.unwrap());
        let listen = ListenOptions {
            backlog: 2,
            ..ListenOptions::default()
        };
        let listener = TcpListener::bind(&stack, 7, listen).unwrap();
        let socket = UdpSocket::bind(&stack, 53, UdpOptions::default()).unwrap();
        let mut run = Self {
            executor,
            now,
            stack,
            link,
            listener,
            socket,
            streams: Vec::new(),
            connecting: Vec::new(),
        };
        run.turns();
        run
    }

    /// Lets the stack run until it waits.
    fn turns(&mut self) {
        for _ in 0..TURNS {
            self.executor.turn(self.now);
            if !self.executor.has_ready() {
                return;
            }
        }
        panic!("the stack does not come to rest");
    }

    /// Lets time pass, and the timers fire that are due on the way.
    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.executor.next_deadline()
            && deadline <= end
        {
            self.now = self.now.max(deadline);
            self.link.0.borrow_mut().drain();
            self.turns();
        }
        self.now = end;
        self.turns();
    }

    fn step(&mut self, step: Step) {
        let cx = &mut Context::from_waker(Waker::noop());
        match step {
            Step::Frame(frame, checksum) => {
                let checksum = match checksum {
                    0 => RxChecksum::Unverified,
                    1 => RxChecksum::Validated,
                    _ => RxChecksum::Blank,
                };
                self.link.0.borrow_mut().say(frame, checksum);
            }
            Step::Wait(ms) => self.wait(Duration::from_millis(ms)),
            Step::Drain => self.link.0.borrow_mut().drain(),
            Step::Write(stream, len) => {
                if let Some(Some(stream)) = self.streams.get_mut(stream) {
                    let _ = stream.poll_write(cx, &vec![9; len % 9000]);
                }
            }
            Step::Read(stream) => {
                if let Some(Some(stream)) = self.streams.get_mut(stream) {
                    let _ = stream.poll_read(cx, &mut [0; 3000]);
                }
            }
            Step::Shutdown(stream) => {
                if let Some(Some(stream)) = self.streams.get_mut(stream) {
                    stream.shutdown();
                }
            }
            Step::Drop(stream) => {
                if let Some(stream) = self.streams.get_mut(stream) {
                    *stream = None;
                }
            }
            Step::Abort(stream) => {
                if let Some(stream) = self.streams.get_mut(stream).and_then(Option::take) {
                    stream.abort();
                }
            }
            Step::Connect(port) => self.connect(port),
            Step::Datagram(port) => {
                let remote = SocketAddr::new([10, 0, 0, 1].into(), port);
                let _ = self.socket.poll_send(cx, b"datagram", remote, None);
                let _ = self.socket.poll_recv(cx, &mut [0; 100]);
            }
        }
        self.turns();
        let cx = &mut Context::from_waker(Waker::noop());
        while let Poll::Ready(stream) = self.listener.poll_accept(cx) {
            self.streams.push(Some(stream));
        }
        let streams = &mut self.streams;
        self.connecting.retain_mut(|task| {
            let Poll::Ready(opened) = Pin::new(task).poll(cx) else {
                return true;
            };
            if let Some(Ok(stream)) = opened {
                streams.push(Some(stream));
            }
            false
        });
    }

    /// Begins to open a connection.
    fn connect(&mut self, port: u16) {
        let remote = SocketAddr::new([10, 0, 0, 1].into(), port);
        let stack = self.stack.clone();
        let handle = self.executor.handle();
        let task = handle.spawn(async move {
            TcpStream::connect(&stack, remote, ConnectOptions::default()).await
        });
        let Ok(task) = task else {
            return;
        };
        self.connecting.push(task);
    }

    fn check_limits(&self) {
        let (stats, limits) = (self.stack.stats(), limits());
        assert!(stats.tcp_connections <= limits.connections);
        assert!(stats.tcp_buffer_bytes <= limits.buffer_memory);
        assert!(stats.tcp_time_wait <= limits.time_wait);
        assert!(stats.tcp_parked_now <= stats.tcp_connections);
        // A link-local address of the stack's own stays, whatever a router or a DHCP server says.
        assert!(self.stack.addresses().ipv6[0].is_some());
    }

    /// Nothing may be left when the application has let go of everything and time has passed.
    fn finish(mut self) -> Stats {
        self.streams.clear();
        self.connecting.clear();
        self.turns();
        self.wait(Duration::from_secs(300));
        let stats = self.stack.stats();
        assert_eq!(stats.tcp_connections, 0, "{stats:?}");
        assert_eq!(stats.tcp_buffer_bytes, 0);
        assert_eq!(stats.tcp_parked_now, 0);
        stats
    }
}
