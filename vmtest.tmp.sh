evl trace -etimer; latmus -q -T 1 -A 1 --freeze-trace >/dev/null; evl trace --explain; evl trace --explain --json >/mnt/host/trace.tmp.json; evl trace -d
cat /sys/kernel/tracing/trace_clock /sys/kernel/tracing/buffer_size_kb
evl doctor; echo "doctor $?"
evl stop; echo "stop $?"; evl status; evl start; echo "start $?"; evl status; modprobe evl-latmus
evl bench -c user,kernel,irq -T 3 --json >/mnt/host/bench3.tmp.json; echo "bench3 $?"
